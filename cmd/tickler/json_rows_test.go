package main

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/obligation"
)

// anything fills a value: every field of whatever is declared, half of the
// pointers, texts that have to be escaped among others.
func anything(v reflect.Value, r *rand.Rand) {
	texts := []string{"", "", "S007", "贷后检查", `a"b\c`, "<&>", "\u2028", "\xff", "a\tb\x01\x7f", "名\n称"}
	switch v.Type() {
	case reflect.TypeFor[calendar.Date]():
		v.SetInt(int64([]calendar.Date{0, calendar.MustDate(2026, 11, 23), calendar.MustDate(1, 1, 1)}[r.IntN(3)]))
		return
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(r.Int64N(4e9), r.Int64N(2)*123_000_000).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts[r.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int:
		v.SetInt(int64(r.IntN(7) - 3))
	case reflect.Pointer:
		if r.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			anything(v.Elem(), r)
		}
	case reflect.Slice:
		if r.IntN(4) > 0 {
			v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
		}
		for i := range v.Len() {
			anything(v.Index(i), r)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			anything(v.Field(i), r)
		}
	default:
		panic("no values of " + v.Type().String())
	}
}

// A list in JSON is what the library writes, byte for byte.
func TestRowsInJSONAreThoseOfTheLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 7))
	for range 2000 {
		list := make([]api.Obligation, r.IntN(4))
		for i := range list {
			anything(reflect.ValueOf(&list[i]).Elem(), r)
		}
		var want, got bytes.Buffer
		if err := writeJSON(&want, list); err != nil {
			t.Fatal(err)
		}
		if err := writeObligationsJSON(&got, list); err != nil {
			t.Fatal(err)
		}
		if want.String() != got.String() {
			t.Fatalf("got\n%s\nwant\n%s", got.String(), want.String())
		}
	}
	long := make([]api.Obligation, 1000) // written in parts
	for i := range long {
		long[i].State = obligation.Raised
	}
	var want, got bytes.Buffer
	if err := writeJSON(&want, long); err != nil {
		t.Fatal(err)
	}
	if err := writeObligationsJSON(&got, long); err != nil || !bytes.Equal(want.Bytes(), got.Bytes()) {
		t.Errorf("a long list: %v, %d bytes, want %d", err, got.Len(), want.Len())
	}
}
