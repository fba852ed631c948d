package store

import (
	"encoding/json"

	"tickler/calendar"
)

// Object puts the detail of an audit record together, member by member, as
// encoding/json writes a struct's.
type Object struct{ b []byte }

// Reset begins another one. What JSON gave before is void.
func (o *Object) Reset() { o.b = append(o.b[:0], '{') }

func (o *Object) name(name string) {
	if len(o.b) > 1 {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

// Text adds a string; the name is plain ASCII.
func (o *Object) Text(name, value string) {
	o.name(name)
	o.b = appendJSONText(o.b, value)
}

// TextIfAny is Text, where there is any.
func (o *Object) TextIfAny(name, value string) {
	if value != "" {
		o.Text(name, value)
	}
}

// Date adds a day; no date is null.
func (o *Object) Date(name string, day calendar.Date) {
	o.name(name)
	o.b = appendJSONDate(o.b, day)
}

// DateIfAny is Date, where there is one.
func (o *Object) DateIfAny(name string, day calendar.Date) {
	if day != 0 {
		o.Date(name, day)
	}
}

// JSON gives the object, until the next Reset.
func (o *Object) JSON() json.RawMessage {
	o.b = append(o.b, '}')
	return o.b
}
