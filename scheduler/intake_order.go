package scheduler

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"tickler/loan"
)

// sortedBy gives the numbers 0 to n-1 in the order of their keys; equal keys keep
// theirs. Ids of one bank begin alike: what follows is compared as a number,
// and whole ids only where that is the same.
func sortedBy(n int, key func(int) string) []int32 {
	type entry struct {
		next uint64 // eight bytes of the key, after what all begin with
		at   int32
	}
	if n == 0 {
		return nil
	}
	shared := key(0)
	for i := 1; i < n && shared != ""; i++ {
		k := key(i)
		for !strings.HasPrefix(k, shared) {
			shared = shared[:len(shared)-1]
		}
	}
	entries := make([]entry, n)
	for i := range entries {
		var b [8]byte
		copy(b[:], key(i)[len(shared):])
		entries[i] = entry{binary.BigEndian.Uint64(b[:]), int32(i)}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if a.next != b.next {
			return cmp.Compare(a.next, b.next)
		}
		return cmp.Or(strings.Compare(key(int(a.at)), key(int(b.at))), cmp.Compare(a.at, b.at))
	})
	out := make([]int32, n)
	for i, e := range entries {
		out[i] = e.at
	}
	return out
}

// posted is a borrower that one of the file's branches had a part in before it.
type posted struct {
	borrower string
	branch   int32 // of the file's, sorted
}

// holders lists whom the file's branches had, by borrower.
func (in *intake) holders(branches []string) ([]posted, error) {
	var out []posted
	for i, b := range branches {
		ids, err := in.tx.BorrowersOfBranch(b)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			out = append(out, posted{id, int32(i)})
		}
	}
	order := sortedBy(len(out), func(i int) string { return out[i].borrower })
	sorted := make([]posted, len(out))
	for i, at := range order {
		sorted[i] = out[at]
	}
	return sorted, nil
}

// takeLoans takes the rows borrower by borrower, in the order in which the
// store keeps them, and none is kept at hand once he is done: neither the order
// of the file nor its size is paid for. On the way it counts whom the file's
// branches had and no longer have.
func (in *intake) takeLoans(branches []string) (*leaving, error) {
	rows := &in.snap.Loans
	order := sortedBy(rows.Len(), rows.Borrower)
	holders, err := in.holders(branches)
	if err != nil {
		return nil, err
	}
	g := &leaving{branches: branches, open: make([]int, len(branches)), openGone: make([]int, len(branches))}
	in.fresh = make([]bool, rows.Len())
	row := "" // the borrower of the next row
	reach := func(i int) {
		if i < len(order) {
			row = rows.Borrower(int(order[i]))
		}
	}
	reach(0)
	for i, h := 0, 0; i < len(order) || h < len(holders); {
		id := row
		if i == len(order) || h < len(holders) && holders[h].borrower < row {
			id = holders[h].borrower
		}
		first := i
		for i < len(order) && row == id {
			if err := in.takeLoan(int(order[i])); err != nil {
				return nil, err
			}
			i++
			reach(i)
		}
		from := h
		for h < len(holders) && holders[h].borrower == id {
			h++
		}
		if from < h {
			d, err := in.dossier(id)
			if err != nil {
				return nil, err
			}
			at := func(loan string) (row int, ok bool) {
				for _, n := range order[first:i] {
					if rows.ID(int(n)) == loan {
						return int(n), true
					}
				}
				return 0, false
			}
			in.leave(g, d, holders[from:h], at)
		}
		if err := in.settle(); err != nil {
			return nil, err
		}
	}
	if !in.moved {
		return g, nil
	}
	// A loan that changed hands was counted with whom it left: once more, as
	// all stand now.
	byID := make(map[string]int, rows.Len())
	for i := range rows.Len() {
		byID[rows.ID(i)] = i
	}
	g = &leaving{branches: branches, open: make([]int, len(branches)), openGone: make([]int, len(branches))}
	at := func(loan string) (int, bool) { n, ok := byID[loan]; return n, ok }
	for from := 0; from < len(holders); {
		to := from + 1
		for to < len(holders) && holders[to].borrower == holders[from].borrower {
			to++
		}
		d, err := in.tx.Dossier(holders[from].borrower)
		if err != nil {
			return nil, err
		}
		if d != nil {
			in.leave(g, d, holders[from:to], at)
		}
		from = to
	}
	return g, nil
}

// settle keeps the dossiers at hand as far as they changed, and lets go of all.
func (in *intake) settle() error {
	for _, id := range sortedKeys(in.touched) {
		if err := in.tx.PutDossier(in.dossiers[id]); err != nil {
			return err
		}
		in.changed[id] = true
	}
	clear(in.dossiers)
	clear(in.touched)
	return nil
}

// leave counts, of one dossier, the loans that the branches had and those of
// them that the file does not hold. at gives a loan's row in the file.
func (in *intake) leave(g *leaving, d *loan.Dossier, of []posted, at func(loan string) (row int, ok bool)) {
	for _, f := range d.Loans {
		v := f.History.At(in.on)
		if v == nil || !f.Gone.IsZero() {
			continue
		}
		row, inFile := at(f.ID)
		if inFile && in.fresh[row] {
			continue
		}
		for _, p := range of {
			b := g.branches[p.branch]
			if v.Branch != b && !inFile {
				continue
			}
			if v.Open() {
				g.open[p.branch]++
			}
			if inFile || v.Branch != b {
				continue
			}
			g.missing = append(g.missing, lost{p.branch, d.ID, f.ID})
			if v.Open() {
				g.openGone[p.branch]++
			}
		}
	}
}
