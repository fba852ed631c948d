package store

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// kept is a Writer on a map.
type kept map[string][]byte

func (k kept) Get(_ string, key []byte) ([]byte, error) { return k[string(key)], nil }
func (k kept) keys(from, to []byte) []string {
	out := slices.Sorted(maps.Keys(k))
	return slices.DeleteFunc(out, func(s string) bool { return s < string(from) || to != nil && s >= string(to) })
}
func (k kept) Scan(_ string, from, to []byte, fn func(key, value []byte) error) error {
	for _, key := range k.keys(from, to) {
		if err := fn([]byte(key), k[key]); err != nil {
			return err
		}
	}
	return nil
}
func (k kept) Last(_ string, from, to []byte) (key, value []byte, err error) {
	if keys := k.keys(from, to); len(keys) > 0 {
		key = []byte(keys[len(keys)-1])
		value = k[string(key)]
	}
	return key, value, nil
}
func (k kept) Put(_ string, key, value []byte) error { k[string(key)] = value; return nil }
func (k kept) Delete(_ string, key []byte) error     { delete(k, string(key)); return nil }

// What a transaction wrote and what it found are one: every way of reading
// agrees with a map, before it is written out and after.
func TestBufferIsLaidOverTheBackend(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		key := rapid.Custom(func(rt *rapid.T) []byte {
			return []byte(fmt.Sprintf("%02d", rapid.IntRange(0, 30).Draw(rt, "key")))
		})
		backend, want := kept{}, kept{}
		for range rapid.IntRange(0, 20).Draw(rt, "there") {
			k := key.Draw(rt, "k")
			backend[string(k)] = seal("b", k, 1, []byte("before"))
			want[string(k)] = backend[string(k)]
		}
		b := newBuffer(backend)
		write := func() {
			k := key.Draw(rt, "k")
			if rapid.Bool().Draw(rt, "delete") {
				if err := b.delete("b", k); err != nil {
					rt.Fatal(err)
				}
				delete(want, string(k))
				return
			}
			payload := []byte(rapid.StringN(0, 3, -1).Draw(rt, "payload"))
			b.put("b", k, 1, payload)
			want[string(k)] = seal("b", k, 1, payload)
		}
		read := func(r Reader) {
			k := key.Draw(rt, "k")
			if got, _ := r.Get("b", k); !bytes.Equal(got, want[string(k)]) {
				rt.Fatalf("Get %s gives %q, want %q", k, got, want[string(k)])
			}
			from, to := key.Draw(rt, "from"), key.Draw(rt, "to")
			if rapid.IntRange(0, 3).Draw(rt, "end") == 0 {
				to = nil
			}
			gotKey, got, _ := r.Last("b", from, to)
			wantKey, wanted, _ := want.Last("b", from, to)
			if !bytes.Equal(gotKey, wantKey) || !bytes.Equal(got, wanted) {
				rt.Fatalf("Last %s %s gives %q %q, want %q %q", from, to, gotKey, got, wantKey, wanted)
			}
			last := []byte(nil)
			err := r.Scan("b", from, to, func(k, v []byte) error {
				if next, _, _ := firstOf(want, after(from, last), to); next != string(k) || !bytes.Equal(v, want[next]) {
					rt.Fatalf("Scan %s %s gives %q %q after %q, want %q %q", from, to, k, v, last, next, want[next])
				}
				last = bytes.Clone(k)
				if _, fork := r.(*buffer); fork && rapid.IntRange(0, 9).Draw(rt, "write") == 0 {
					k := append(bytes.Clone(k), 'x') // what comes later is seen
					b.put("b", k, 1, nil)
					want[string(k)] = seal("b", k, 1, nil)
				}
				return nil
			})
			if next, there, _ := firstOf(want, after(from, last), to); err != nil || there {
				rt.Fatalf("Scan %s %s ends after %q with %v; %q comes", from, to, last, err, next)
			}
		}
		for range rapid.IntRange(0, 40).Draw(rt, "steps") {
			if rapid.Bool().Draw(rt, "write") {
				write()
			} else {
				read(b)
			}
		}
		if err := b.flush([]string{"b"}); err != nil {
			rt.Fatal(err)
		}
		if !maps.EqualFunc(backend, want, bytes.Equal) {
			rt.Fatalf("written out: %q, want %q", backend, want)
		}
	})
}

func after(from, last []byte) []byte {
	if last == nil {
		return from
	}
	return append(bytes.Clone(last), 0)
}

func firstOf(k kept, from, to []byte) (key string, there bool, err error) {
	if keys := k.keys(from, to); len(keys) > 0 {
		return keys[0], true, nil
	}
	return "", false, nil
}
