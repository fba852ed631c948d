package store

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"

	"tickler/calendar"
)

// The records that a scan writes by the hundred thousand are put together
// here, byte for byte as encoding/json writes them: what was hashed before is
// hashed again.

// appendJSONText appends a string, quoted.
func appendJSONText(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c < 0x7f {
			continue
		}
		return appendOtherText(b, s)
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// appendOtherText is appendJSONText for text that is not plain ASCII, of which
// Chinese goes as it is.
func appendOtherText(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		if c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c == 0x7f || c == '\u2028' || c == '\u2029' || c == utf8.RuneError {
			quoted, err := json.Marshal(s)
			if err != nil { // a string always has a form
				panic(err)
			}
			return append(b, quoted...)
		}
		i += n
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendJSONDate(b []byte, d calendar.Date) []byte {
	n := len(b)
	b = d.Append(append(b, '"'))
	if len(b) == n+1 { // no date
		return append(b[:n], "null"...)
	}
	return append(b, '"')
}

// appendJSONDetail appends what is JSON already, without the spaces in it.
func appendJSONDetail(b []byte, detail json.RawMessage) ([]byte, error) {
	// Without these bytes there is nothing to leave out or to write otherwise;
	// e2 begins U+2028 and U+2029.
	if !bytes.ContainsAny(detail, " \t\r\n<>&") && bytes.IndexByte(detail, 0xe2) < 0 && json.Valid(detail) {
		return append(b, detail...), nil
	}
	compact, err := json.Marshal(detail)
	return append(b, compact...), err
}

func appendJSONTime(b []byte, t time.Time) ([]byte, error) {
	b, err := t.AppendText(append(b, '"'))
	return append(b, '"'), err
}

// appendJSONMember appends a member of an object that is left out where it is
// empty.
func appendJSONMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendJSONText(append(append(append(b, ',', '"'), name...), '"', ':'), value)
}
