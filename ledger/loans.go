package ledger

import (
	"encoding/binary"
	"maps"
	"slices"

	"tickler/calendar"
	"tickler/loan"
)

// Loans are the rows of the loan sheets, in the order of the file. A million of
// them as loan.Loan take 400 MB that the garbage collector reads through again
// and again; packed they take a quarter of it, which it passes by. The zero
// value holds none.
//
//	row   text borrower | text id | text name | text contract
//	      word branch, officer, product, currency, origin, class, mode, guarantee,
//	           rate, settlement, status
//	      int amount, balance, arrears
//	      day disbursed, maturity, original maturity, date of payment
//	      int extensions, day of settlement, day of payment
//	      uint n | n texts: guarantors
//	      uint n | n days: fees
//	      uint n | n times word | text: x
//
//	text  uint length | bytes
//	word  uint: its number
//	day   int: the difference from the day before it
type Loans struct {
	chunks []string // of rows, one after the other
	open   []byte   // the chunk being filled, behind the others
	at     []uint64 // of each row: chunk << 32 | offset
	words  []string // few, and many rows have each
	number map[string]uint32
	last   [loanWords]uint32 // of each word in the row before, 1 + number
}

const (
	loanWords = 11
	loanChunk = 256 << 10 // bytes from which on a chunk is closed
)

// Len is the number of rows.
func (l *Loans) Len() int { return len(l.at) }

// Borrower and ID give what a row is found by, without the rest of it.
func (l *Loans) Borrower(i int) string { r := l.row(i); return r.text() }
func (l *Loans) ID(i int) string       { r := l.row(i); r.text(); return r.text() }

// Branch gives the branch of a row.
func (l *Loans) Branch(i int) string {
	r := l.row(i)
	r.text()
	r.text()
	r.text()
	r.text()
	return l.words[r.uint()]
}

// All gives every row.
func (l *Loans) All() []loan.Loan {
	out := make([]loan.Loan, l.Len())
	for i := range out {
		out[i] = l.At(i)
	}
	return out
}

// Append adds a row.
func (l *Loans) Append(v *loan.Loan) {
	if len(l.open) >= loanChunk {
		l.seal()
	}
	l.at = append(l.at, uint64(len(l.chunks))<<32|uint64(len(l.open)))
	b := l.open
	for _, s := range [...]string{v.Borrower, v.ID, v.BorrowerName, v.Contract} {
		b = packText(b, s)
	}
	for i, s := range [loanWords]string{v.Branch, v.Officer, v.Product, v.Currency, string(v.Origin), string(v.Class),
		string(v.Mode), v.Guarantee, v.Rate, string(v.Interest.Every), v.Status} {
		n := l.last[i]
		if n == 0 || l.words[n-1] != s {
			n = 1 + l.word(s)
			l.last[i] = n
		}
		b = binary.AppendUvarint(b, uint64(n-1))
	}
	for _, n := range [...]int64{int64(v.Amount), int64(v.Balance), int64(v.Arrears)} {
		b = binary.AppendVarint(b, n)
	}
	var before calendar.Date
	day := func(d calendar.Date) { b, before = binary.AppendVarint(b, int64(d)-int64(before)), d }
	day(v.Disbursed)
	day(v.Maturity)
	day(v.OriginalMaturity)
	day(v.Interest.PayDate)
	for _, n := range [...]int{v.Extensions, v.Interest.SettleDay, v.Interest.PayDay} {
		b = binary.AppendVarint(b, int64(n))
	}
	b = binary.AppendUvarint(b, uint64(len(v.Guarantors)))
	for _, s := range v.Guarantors {
		b = packText(b, s)
	}
	b = binary.AppendUvarint(b, uint64(len(v.FeeDates)))
	for _, d := range v.FeeDates {
		day(d)
	}
	b = binary.AppendUvarint(b, uint64(len(v.X)))
	if len(v.X) > 0 {
		for _, k := range slices.Sorted(maps.Keys(v.X)) {
			b = binary.AppendUvarint(b, uint64(l.word(k)))
			b = packText(b, v.X[k])
		}
	}
	l.open = b
}

// At gives a row; it is the caller's own, but for its texts, which keep the
// rows around it.
func (l *Loans) At(i int) (v loan.Loan) {
	r := l.row(i)
	v.Borrower, v.ID, v.BorrowerName, v.Contract = r.text(), r.text(), r.text(), r.text()
	word := func() string { return l.words[r.uint()] }
	v.Branch, v.Officer, v.Product, v.Currency = word(), word(), word(), word()
	v.Origin, v.Class, v.Mode = loan.Origin(word()), loan.Class(word()), loan.Mode(word())
	v.Guarantee, v.Rate, v.Interest.Every, v.Status = word(), word(), loan.Settlement(word()), word()
	v.Amount, v.Balance, v.Arrears = loan.Fen(r.int()), loan.Fen(r.int()), loan.Fen(r.int())
	var before calendar.Date
	day := func() calendar.Date { before += calendar.Date(r.int()); return before }
	v.Disbursed, v.Maturity, v.OriginalMaturity, v.Interest.PayDate = day(), day(), day(), day()
	v.Extensions, v.Interest.SettleDay, v.Interest.PayDay = int(r.int()), int(r.int()), int(r.int())
	if n := r.uint(); n > 0 {
		v.Guarantors = make([]string, n)
		for i := range v.Guarantors {
			v.Guarantors[i] = r.text()
		}
	}
	if n := r.uint(); n > 0 {
		v.FeeDates = make([]calendar.Date, n)
		for i := range v.FeeDates {
			v.FeeDates[i] = day()
		}
	}
	if n := r.uint(); n > 0 {
		v.X = make(map[string]string, n)
		for range n {
			k := word()
			v.X[k] = r.text()
		}
	}
	return v
}

// seal closes the chunk being filled. Rows are read from closed ones.
func (l *Loans) seal() {
	if len(l.open) > 0 {
		l.chunks, l.open = append(l.chunks, string(l.open)), l.open[:0]
	}
}

func (l *Loans) word(s string) uint32 {
	n, ok := l.number[s]
	if !ok {
		if l.number == nil {
			l.number = map[string]uint32{}
		}
		n = uint32(len(l.words))
		l.number[s], l.words = n, append(l.words, s)
	}
	return n
}

func (l *Loans) row(i int) packed {
	at := l.at[i]
	return packed(l.chunks[at>>32][uint32(at):])
}

func packText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// packed is what is left of a row.
type packed string

func (p *packed) uint() uint64 {
	var v uint64
	for i := 0; ; i++ {
		c := (*p)[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			*p = (*p)[i+1:]
			return v
		}
	}
}

func (p *packed) int() int64 { u := p.uint(); return int64(u>>1) ^ -int64(u&1) }

func (p *packed) text() string {
	n := p.uint()
	s := (*p)[:n]
	*p = (*p)[n:]
	return string(s)
}
