package scheduler

import (
	"errors"
	"maps"
	"slices"
	"sort"
	"strings"

	"tickler/api"
	"tickler/calendar"
	"tickler/ledger"
	"tickler/loan"
	"tickler/store"
)

// intake is the import of one file.
type intake struct {
	*change
	snap  *ledger.Snapshot
	cal   *calendar.Calendar
	on    calendar.Date // the file's data date
	lang  string        // of the mistakes
	reply *api.ImportReply

	row      loan.Loan                // the row being taken
	dossiers map[string]*loan.Dossier // borrower -> his facts, while they are at hand: see settle
	touched  map[string]bool          // of them, those to be kept anew
	changed  map[string]bool          // borrowers whose dossier was kept anew
	fresh    []bool                   // rows of loans that no file showed before this one
	moved    bool                     // a loan went from one borrower to another
	found    []newEvent               // what the file showed to have happened
}

func (in *intake) take(allowGone bool) error {
	in.dossiers, in.touched, in.changed = map[string]*loan.Dossier{}, map[string]bool{}, map[string]bool{}
	branches := in.fileBranches()
	if in.on > in.today {
		return api.Errorf(api.Usage, "check 数据日期, or name the day with --on", "%s: its data date %s is after today, %s", in.snap.Name, in.on, in.today)
	}
	for _, b := range branches {
		if !in.view.branch(b) {
			return api.Errorf(api.NotAllowed, "nothing of it was taken", "%s holds loans of branch %q, which is not %s's", in.snap.Name, b, in.person)
		}
		last, err := in.tx.LastDataDate(b)
		if err != nil {
			return err
		}
		if in.on < last {
			return api.Errorf(api.BadFile, "import the files in the order of their days; nothing of it was taken",
				"%s: its data date %s is before that of the last ledger of branch %q, %s", in.snap.Name, in.on, b, last)
		}
	}
	if err := in.own(); err != nil {
		return err
	}
	if in.snap.Loans.Len() > 0 {
		g, err := in.takeLoans(branches)
		if err != nil {
			return err
		}
		if err := in.gone(g, allowGone); err != nil {
			return err
		}
	}
	if err := in.takeSheets(); err != nil {
		return err
	}
	for id := range in.changed {
		in.plan(borrowerUnit(id))
	}
	if err := in.planSecuring(); err != nil {
		return err
	}
	if err := in.takeEvents(); err != nil {
		return err
	}
	for _, e := range in.found { // the facts that say whom they concern are kept by now
		if err := in.happens(e.home, e.Event); err != nil {
			return err
		}
	}
	if err := in.planMarked(); err != nil {
		return err
	}
	return in.finish(branches)
}

// fileBranches lists the branches whose loans the file holds, sorted.
func (in *intake) fileBranches() []string {
	seen := map[string]bool{}
	for i := range in.snap.Loans.Len() {
		seen[in.snap.Loans.Branch(i)] = true
	}
	out := make([]string, 0, len(seen))
	for b := range seen {
		out = append(out, b)
	}
	sort.Strings(out)
	return out
}

func (in *intake) dossier(id string) (*loan.Dossier, error) {
	if d := in.dossiers[id]; d != nil {
		return d, nil
	}
	d, err := in.tx.Dossier(id)
	if err != nil {
		return nil, err
	}
	if d == nil {
		d = &loan.Dossier{ID: id}
	}
	in.dossiers[id] = d
	return d, nil
}

func fileOf(d *loan.Dossier, id string) *loan.LoanFile {
	for _, f := range d.Loans {
		if f.ID == id {
			return f
		}
	}
	return nil
}

// planSecuring marks whose collateral secures a loan of a changed dossier.
func (in *intake) planSecuring() error {
	if len(in.changed) == 0 {
		return nil
	}
	return in.tx.Secured(func(loan, securer string) error {
		owner, err := in.tx.LoanOwner(loan)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err == nil && in.changed[owner] {
			in.plan(borrowerUnit(securer))
		}
		return err
	})
}

// takeLoan puts one row of the file into its dossier, and finds what it shows
// to have happened since the row before.
func (in *intake) takeLoan(n int) error {
	in.row = in.snap.Loans.At(n)
	row := &in.row
	d, err := in.dossier(row.Borrower)
	if err != nil {
		return err
	}
	f := fileOf(d, row.ID)
	if f == nil {
		if f, err = in.moveHere(d, row.ID); err != nil {
			return err
		}
	}
	if f == nil {
		f = &loan.LoanFile{ID: row.ID}
		d.Loans = append(d.Loans, f)
		sort.Slice(d.Loans, func(i, j int) bool { return d.Loans[i].ID < d.Loans[j].ID })
		in.reply.New++
		in.fresh[n] = true
	}
	var base *loan.Version[loan.Loan] // the row before this data date
	var same *loan.Version[loan.Loan] // the row of this data date, from a file that this one replaces
	for i := range f.History {
		if v := &f.History[i]; v.From < in.on {
			base = v
		} else if v.From == in.on {
			same = v
		}
	}
	stands := base
	if same != nil {
		stands = same
	}
	if row.Arrears > 0 && f.Confirmed < in.on || !f.Gone.IsZero() {
		// Arrears that still show on a later day are news to an interest date
		// in between.
		f.Confirmed, f.Gone = in.on, 0
		in.touched[d.ID] = true
	}
	if stands != nil && stands.Value.Equal(row) {
		in.reply.Unchanged++
		return nil
	}
	if stands != nil {
		in.reply.Changed++
		if err := in.touchIfSeen(&stands.Value, row); err != nil {
			return err
		}
	} else if err := in.touchRow(row); err != nil {
		return err
	}
	f.Confirmed = in.on
	if base != nil && base.Value.Equal(row) {
		f.History = f.History.Drop(in.on) // back to what it was
	} else {
		f.History = f.History.Put(loan.Version[loan.Loan]{From: in.on, Learned: in.now, Known: in.today, Value: *row})
	}
	in.touched[d.ID] = true
	return in.differences(d, row, base, same != nil)
}

// touchIfSeen marks the officers and branches of a changed loan, where the
// change can matter to them.
func (in *intake) touchIfSeen(old, row *loan.Loan) error {
	if old.Borrower != row.Borrower || old.Officer != row.Officer || old.Branch != row.Branch || old.Open() != row.Open() || old.Disbursed != row.Disbursed || old.Maturity != row.Maturity {
		if err := in.touchRow(old); err != nil {
			return err
		}
		return in.touchRow(row)
	}
	return nil
}

// touchRow marks the officers, branches and groups of a loan, and its
// borrower's risk manager.
func (in *intake) touchRow(l *loan.Loan) error {
	d, err := in.dossier(l.Borrower)
	if err != nil {
		return err
	}
	if d.Borrower != nil && d.Borrower.RiskManager != "" {
		in.plan(officerUnit(d.Borrower.RiskManager))
	}
	return in.touchLoan(l)
}

// differences keeps the events that a changed row shows, in place of those
// that a file of the same data date showed.
func (in *intake) differences(d *loan.Dossier, row *loan.Loan, base *loan.Version[loan.Loan], replaced bool) error {
	var old *loan.Loan
	var oldOn calendar.Date
	if base != nil {
		old, oldOn = &base.Value, base.From
	}
	found, err := ledger.Diff(old, row, oldOn, in.on, in.cal)
	if err != nil {
		return err
	}
	unit := borrowerUnit(d.ID)
	if replaced {
		known, err := in.tx.EventsOf(unit)
		if err != nil {
			return err
		}
		suffix := "/" + row.ID + "/" + in.on.String()
		for _, e := range known {
			// What says something else now is another event of the same name.
			stays := slices.ContainsFunc(found, func(f loan.Event) bool { return f.ID == e.ID && maps.Equal(f.Fields, e.Fields) })
			if e.Snapshot && strings.HasSuffix(e.ID, suffix) && !stays {
				if err := in.tx.DeleteEvent(e.ID); err != nil {
					return err
				}
				if err := in.bequeath(unit, e); err != nil {
					return err
				}
				in.withdrawing = true
				if err := in.audit("event.withdrawn", e.ID, map[string]any{"by": in.snap.Name}, e.Subject.String()); err != nil {
					return err
				}
			}
		}
	}
	for _, e := range found {
		if err := in.keepEvent(unit, e); err != nil {
			return err
		}
	}
	return nil
}

func (in *intake) keepEvent(unit loan.Ref, e loan.Event) error {
	if _, _, err := in.tx.Event(e.ID); err == nil {
		return nil // known; what it closed stays closed
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	e.Learned, e.Known = in.now, in.today
	in.reply.Events[e.Kind]++
	var err error
	if d := in.dossiers[unit.ID]; d != nil && e.Snapshot && e.Subject.Kind == loan.KindLoan {
		if e.Confirms, err = in.twin(unit, e, fileOf(d, e.Subject.ID)); err != nil {
			return err
		}
	}
	if err := in.tx.PutEvent(unit, e); err != nil {
		return err
	}
	in.found = append(in.found, newEvent{Event: e, home: unit})
	return in.audit("event.found", e.ID, map[string]any{"kind": e.Kind, "file": in.snap.Name, "fields": e.Fields}, e.Subject.String())
}

func (in *intake) finish(branches []string) error {
	changes := in.reply.New + in.reply.Changed + len(in.reply.Gone) + len(in.reply.Events)
	known, err := in.tx.ImportsOf(in.on)
	if err != nil {
		return err
	}
	in.reply.Same = changes == 0 && slices.ContainsFunc(known, func(i store.Import) bool { return i.Digest == in.snap.Digest })
	in.reply.Plan, in.reply.Failed = in.sighted, in.fails
	in.reply.Warnings = in.warnings
	for _, w := range in.snap.Warnings {
		in.reply.Warnings = append(in.reply.Warnings, w.Text.In("zh"))
	}
	for _, col := range in.snap.Columns {
		in.reply.Columns = append(in.reply.Columns, col.Header+" -> "+col.Field)
	}
	for _, b := range branches {
		if err := in.tx.SetLastDataDate(b, in.on); err != nil {
			return err
		}
	}
	if in.reply.Same && len(in.counts) == 0 && !in.more {
		return errUnchanged // not a byte written
	}
	events := 0
	for _, n := range in.reply.Events {
		events += n
	}
	err = in.tx.PutImport(store.Import{Digest: in.snap.Digest, Name: in.snap.Name, DataDate: in.on, Branches: branches, At: in.now, By: in.actor.OSUser,
		Rows: in.reply.Rows, New: in.reply.New, Changed: in.reply.Changed, Gone: len(in.reply.Gone), Events: events})
	if err != nil {
		return err
	}
	return in.end("ledger.imported", in.snap.Name, map[string]any{
		"digest": in.snap.Digest, "data_date": in.on, "rows": in.reply.Rows, "new": in.reply.New,
		"changed": in.reply.Changed, "gone": in.reply.Gone, "events": in.reply.Events})
}
