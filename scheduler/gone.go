package scheduler

import (
	"fmt"
	"sort"
	"strings"

	"tickler/api"
	"tickler/loan"
)

// maxGone is the share of a file's branches' open loans that may be missing
// from it before the file is taken for half a file.
const maxGone = 0.02

// gone finds the loans of the file's branches that the file does not hold. A
// file with a gap is refused: it may be half of one.
func (in *intake) gone(branches []string, allow bool) error {
	inFile := make(map[string]bool, len(in.snap.Loans))
	for i := range in.snap.Loans {
		inFile[in.snap.Loans[i].ID] = true
	}
	type lost struct {
		borrower string
		file     *loan.LoanFile
	}
	var missing []lost
	open, openGone := 0, 0
	worst, worstGone, worstOpen := "", 0, 0
	for _, b := range branches {
		ids, err := in.tx.BorrowersOfBranch(b)
		if err != nil {
			return err
		}
		o, g := 0, 0
		for _, id := range ids {
			d, err := in.dossier(id)
			if err != nil {
				return err
			}
			for _, f := range d.Loans {
				v := f.History.At(in.on)
				if v == nil || v.Branch != b && !inFile[f.ID] || !f.Gone.IsZero() || in.fresh[f.ID] {
					continue
				}
				if v.Open() {
					o++
				}
				if inFile[f.ID] || v.Branch != b {
					continue
				}
				missing = append(missing, lost{id, f})
				if v.Open() {
					g++
				}
			}
		}
		open, openGone = open+o, openGone+g
		if g*2 >= o && o >= 10 && g > worstGone {
			worst, worstGone, worstOpen = b, g, o
		}
	}
	if !allow && (float64(openGone) > maxGone*float64(open) || worst != "") {
		var names []string
		for i, m := range missing {
			if i == 10 {
				names = append(names, "…")
				break
			}
			names = append(names, m.file.ID)
		}
		text := fmt.Sprintf("%s: %d of %d open loans of its branches are not in it (%s)", in.snap.Name, openGone, open, strings.Join(names, ", "))
		if worst != "" {
			text += fmt.Sprintf("; of branch %q %d of %d", worst, worstGone, worstOpen)
		}
		return api.Errorf(api.BadFile, "is it half a file? if they really left, import it with --allow-gone; nothing was taken", "%s", text)
	}
	for _, m := range missing {
		m.file.Gone = in.on
		in.changed[m.borrower] = true
		in.reply.Gone = append(in.reply.Gone, m.file.ID)
	}
	sort.Strings(in.reply.Gone)
	return nil
}
