package obligation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"tickler/loan"
)

// Party is the second person an obligation is towards: a guarantor who is to
// be notified, say.
type Party struct {
	Kind loan.Kind `json:"kind"`
	ID   string    `json:"id"`
	Name string    `json:"name"`
}

// Key names one obligation for ever: rule, subject, occurrence and party. The
// rulebook's version is no part of it, so that an edit never raises twice.
type Key struct {
	Rule       string
	Subject    loan.Ref
	Occurrence string // 2026-12-31, 2026-11, 2026-Q4, 2026-W47, or an event's id
	Party      loan.Ref
}

// String gives rule:kind/subject:occurrence[:party-kind/party], with %, : and
// / inside a part percent-encoded.
func (k Key) String() string {
	var b strings.Builder
	b.Grow(len(k.Rule) + len(k.Subject.Kind) + len(k.Subject.ID) + len(k.Occurrence) + len(k.Party.Kind) + len(k.Party.ID) + 5)
	b.WriteString(escape(k.Rule))
	b.WriteByte(':')
	b.WriteString(string(k.Subject.Kind))
	b.WriteByte('/')
	b.WriteString(escape(k.Subject.ID))
	b.WriteByte(':')
	b.WriteString(escape(k.Occurrence))
	if !k.Party.IsZero() {
		b.WriteByte(':')
		b.WriteString(string(k.Party.Kind))
		b.WriteByte('/')
		b.WriteString(escape(k.Party.ID))
	}
	return b.String()
}

var escaper = strings.NewReplacer("%", "%25", ":", "%3A", "/", "%2F")

func escape(s string) string {
	for i := range len(s) {
		if c := s[i]; c == '%' || c == ':' || c == '/' {
			return escaper.Replace(s)
		}
	}
	return s
}

// ParseKey reads what String wrote.
func ParseKey(id string) (Key, error) {
	parts := strings.Split(id, ":")
	if len(parts) != 3 && len(parts) != 4 {
		return Key{}, fmt.Errorf("obligation id %q: want rule:kind/subject:occurrence", id)
	}
	ref := func(s string) (loan.Ref, error) {
		kind, rest, ok := strings.Cut(s, "/")
		if !ok {
			return loan.Ref{}, fmt.Errorf("obligation id %q: %q has no kind/", id, s)
		}
		name, err := url.PathUnescape(rest)
		if err != nil {
			return loan.Ref{}, fmt.Errorf("obligation id %q: %w", id, err)
		}
		return loan.Ref{Kind: loan.Kind(kind), ID: name}, nil
	}
	var k Key
	var err error
	if k.Rule, err = url.PathUnescape(parts[0]); err != nil {
		return Key{}, fmt.Errorf("obligation id %q: %w", id, err)
	}
	if k.Subject, err = ref(parts[1]); err != nil {
		return Key{}, err
	}
	if k.Occurrence, err = url.PathUnescape(parts[2]); err != nil {
		return Key{}, fmt.Errorf("obligation id %q: %w", id, err)
	}
	if len(parts) == 4 {
		if k.Party, err = ref(parts[3]); err != nil {
			return Key{}, err
		}
	}
	return k, nil
}

// Short is the name that lists show: 8 hex digits, the first 4 from the
// subject, so that a store can find it without an index of every obligation.
func (k Key) Short() string { return ShortOf(k.Subject, k.String()) }

// ShortOf is Short of the key that an id spells, whose subject is known.
func ShortOf(subject loan.Ref, id string) string { return ShortFrom(ShortSum(subject), id) }

// ShortFrom is ShortOf for who has the subject's ShortSum.
func ShortFrom(head [2]byte, id string) string {
	var buf [128]byte
	tail := sha256.Sum256(append(buf[:0], id...))
	var short [8]byte
	hex.Encode(short[:], []byte{head[0], head[1], tail[0], tail[1]})
	return string(short[:])
}

// ShortSubject gives the 4 hex digits that the short names of all obligations
// of a subject begin with.
func ShortSubject(r loan.Ref) string {
	sum := ShortSum(r)
	return hex.EncodeToString(sum[:])
}

// ShortSum gives those digits as bytes.
func ShortSum(r loan.Ref) [2]byte {
	var buf [64]byte
	sum := sha256.Sum256(append(append(append(buf[:0], r.Kind...), '/'), r.ID...))
	return [2]byte(sum[:2])
}
