package store

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"tickler/calendar"
)

// Rulebooks and calendars that were ever in force are kept by digest, so that
// any obligation can be explained by the text that made it.
const (
	docBook     = "rulebook"
	docCalendar = "calendar"

	maxDocument = 16 << 20 // a record that unpacks to more is damaged
)

// PutBook keeps a rulebook's text under its digest.
func (tx *Tx) PutBook(digest string, text []byte) error { return tx.putDocument(docBook, digest, text) }

// Book gives the rulebook of a digest; ErrNotFound where it was never kept.
func (tx *Tx) Book(digest string) ([]byte, error) { return tx.document(docBook, digest) }

// PutCalendar keeps a calendar's text under its digest.
func (tx *Tx) PutCalendar(digest string, text []byte) error {
	return tx.putDocument(docCalendar, digest, text)
}

// CalendarText gives the calendar of a digest; ErrNotFound where it was never
// kept.
func (tx *Tx) CalendarText(digest string) ([]byte, error) { return tx.document(docCalendar, digest) }

func docKey(kind, digest string) []byte { return append(appendText(nil, kind), digest...) }

func (tx *Tx) putDocument(kind, digest string, text []byte) error {
	if digest == "" || len(text) > maxDocument {
		return fmt.Errorf("store: %s %q of %d bytes cannot be kept", kind, digest, len(text))
	}
	old, err := tx.get(bucketDoc, docKey(kind, digest), 1)
	if err != nil || old != nil {
		return err // a digest has one text
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return tx.put(bucketDoc, docKey(kind, digest), 1, b.Bytes())
}

func (tx *Tx) document(kind, digest string) ([]byte, error) {
	key := docKey(kind, digest)
	p, err := tx.get(bucketDoc, key, 1)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, fmt.Errorf("%s %s: %w", kind, digest, ErrNotFound)
	}
	return unpackDocument(key, p)
}

func unpackDocument(key, p []byte) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(p)), maxDocument+1))
	if err != nil || len(text) > maxDocument {
		return nil, damaged(bucketDoc, key, "its text cannot be unpacked")
	}
	return text, nil
}

// Activation is a rulebook or calendar that came into force, or waits for a
// second person to let it.
type Activation struct {
	Kind     string        `json:"kind"` // rulebook, calendar
	Digest   string        `json:"digest"`
	Previous string        `json:"previous,omitempty"`
	At       time.Time     `json:"at"`
	Business calendar.Date `json:"business"`
	By       string        `json:"by,omitempty"`
	Second   string        `json:"second,omitempty"` // the second person, where one was needed
	Reason   string        `json:"reason,omitempty"`
}

// PutActivation keeps an activation. One of the same moment, kind and digest
// is replaced.
func (tx *Tx) PutActivation(a Activation) error {
	a.At = a.At.UTC()
	key := binary.BigEndian.AppendUint64(nil, uint64(a.At.UnixNano())^1<<63)
	return tx.putJSON(bucketActive, append(appendText(key, a.Kind), a.Digest...), a)
}

// Activations calls fn for every activation, oldest first.
func (tx *Tx) Activations(fn func(Activation) error) error {
	return scanAs(tx, bucketActive, nil, nil, fn)
}
