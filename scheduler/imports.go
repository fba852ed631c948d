package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"tickler/api"
	"tickler/calendar"
	"tickler/ledger"
	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

// maxGone is the share of a file's branches' open loans that may be missing
// from it before the file is taken for half a file.
const maxGone = 0.02

// errDryRun takes back a change that was only tried.
var errDryRun = errors.New("dry run")

// Import takes in one ledger file, whole or not at all: the facts, the events
// that the differences show, the plan, and the audit in one transaction. The
// same file again changes nothing; another file of the same data date takes
// the place of the first.
func (s *Scheduler) Import(ctx context.Context, actor Actor, r api.ImportRequest, data []byte) (*api.ImportReply, error) {
	book, cal := s.inForce()
	opt := ledger.Options{DataDate: r.DataDate, Sheet: r.Sheet, Today: s.wallDay(book)}
	if len(r.Mapping) > 0 {
		m, err := ledger.ParseMapping(r.MappingAs, r.Mapping)
		if err != nil {
			return nil, api.Errorf(api.BadFile, "mend the mapping; nothing of the ledger was taken", "%v", err)
		}
		opt.Mapping = m
	}
	snap, err := ledger.Read(r.Name, data, opt)
	if err != nil {
		text := err.Error()
		if es := (*ledger.Errors)(nil); errors.As(err, &es) {
			text = es.In(r.Lang)
		}
		return nil, api.Errorf(api.BadFile, "mend the file and import it again; nothing of it was taken (文件未导入)", "%s", text)
	}
	now := s.moment()
	var reply *api.ImportReply
	err = s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		c, err := s.begin(tx, actor, r.On, r.Force, now)
		if err != nil {
			return err
		}
		c.cause = "导入 " + snap.Name
		c.late = "导入时触发日已过"
		in := &intake{change: c, snap: snap, cal: cal, on: snap.DataDate, reply: &api.ImportReply{
			Name: snap.Name, Digest: snap.Digest, Rows: len(snap.Loans), Events: map[string]int{}, DryRun: r.DryRun}}
		if in.on.IsZero() {
			in.on = c.today
		}
		in.reply.DataDate = in.on
		if err := in.take(r.AllowGone); err != nil {
			return err
		}
		reply = in.reply
		if r.DryRun {
			return errDryRun
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return nil, refine(err)
	}
	return reply, nil
}

// intake is the import of one file.
type intake struct {
	*change
	snap  *ledger.Snapshot
	cal   *calendar.Calendar
	on    calendar.Date // the file's data date
	reply *api.ImportReply

	dossiers map[string]*loan.Dossier // borrower -> his facts, as far as touched
	changed  map[string]bool          // borrowers whose dossier is to be kept anew
}

func (in *intake) take(allowGone bool) error {
	in.dossiers, in.changed = map[string]*loan.Dossier{}, map[string]bool{}
	branches := in.fileBranches()
	if in.on > in.today {
		return api.Errorf(api.Usage, "check 数据日期, or name the day with --on", "%s: its data date %s is after today, %s", in.snap.Name, in.on, in.today)
	}
	for _, b := range branches {
		last, err := in.tx.LastDataDate(b)
		if err != nil {
			return err
		}
		if in.on < last {
			return api.Errorf(api.BadFile, "import the files in the order of their days; nothing of it was taken",
				"%s: its data date %s is before that of the last ledger of branch %q, %s", in.snap.Name, in.on, b, last)
		}
	}
	for i := range in.snap.Loans {
		if err := in.takeLoan(&in.snap.Loans[i]); err != nil {
			return err
		}
	}
	if len(in.snap.Loans) > 0 {
		if err := in.gone(branches, allowGone); err != nil {
			return err
		}
	}
	if err := in.takeSheets(); err != nil {
		return err
	}
	ids := make([]string, 0, len(in.changed))
	for id := range in.changed {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		if err := in.tx.PutDossier(in.dossiers[id]); err != nil {
			return err
		}
		in.plan(borrowerUnit(id))
	}
	if err := in.takeEvents(); err != nil {
		return err
	}
	if err := in.planMarked(); err != nil {
		return err
	}
	return in.finish(branches)
}

// fileBranches lists the branches whose loans the file holds, sorted.
func (in *intake) fileBranches() []string {
	seen := map[string]bool{}
	for i := range in.snap.Loans {
		seen[in.snap.Loans[i].Branch] = true
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

// takeLoan puts one row into its dossier, and finds what it shows to have
// happened since the row before.
func (in *intake) takeLoan(row *loan.Loan) error {
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
		in.changed[d.ID] = true
	}
	if stands != nil && stands.Value.Equal(row) {
		in.reply.Unchanged++
		return nil
	}
	if stands != nil {
		in.reply.Changed++
		in.touchIfSeen(&stands.Value, row)
	} else {
		in.touchLoan(row)
	}
	f.Confirmed = in.on
	if base != nil && base.Value.Equal(row) {
		f.History = f.History.Drop(in.on) // back to what it was
	} else {
		f.History = f.History.Put(loan.Version[loan.Loan]{From: in.on, Learned: in.now, Value: *row})
	}
	in.changed[d.ID] = true
	return in.differences(d, row, base, same != nil)
}

// moveHere brings a loan that another borrower had, with its obligations and
// events.
func (in *intake) moveHere(d *loan.Dossier, id string) (*loan.LoanFile, error) {
	owner, err := in.tx.LoanOwner(id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	old, err := in.dossier(owner)
	if err != nil {
		return nil, err
	}
	f := fileOf(old, id)
	if f == nil {
		return nil, nil
	}
	old.Loans = slices.DeleteFunc(old.Loans, func(x *loan.LoanFile) bool { return x == f })
	d.Loans = append(d.Loans, f)
	sort.Slice(d.Loans, func(i, j int) bool { return d.Loans[i].ID < d.Loans[j].ID })
	in.changed[old.ID], in.changed[d.ID] = true, true
	from, to := borrowerUnit(old.ID), borrowerUnit(d.ID)
	subject := loan.Ref{Kind: loan.KindLoan, ID: id}
	events, err := in.tx.EventsOf(from)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if e.Subject == subject {
			if err := in.tx.PutEvent(to, e); err != nil {
				return nil, err
			}
		}
	}
	plan, err := in.tx.Plan(from)
	if err != nil || plan == nil {
		return f, err
	}
	there, err := in.tx.Plan(to)
	if err != nil {
		return nil, err
	}
	if there == nil {
		there = &store.Plan{Unit: to}
	}
	var stay []obligation.Obligation
	for _, o := range plan.Obligations {
		if o.Subject == subject {
			there.Obligations = append(there.Obligations, o)
		} else {
			stay = append(stay, o)
		}
	}
	plan.Obligations = stay
	if err := in.tx.PutPlan(plan); err != nil {
		return nil, err
	}
	return f, in.tx.PutPlan(there)
}

// touchIfSeen marks the officers and branches of a changed loan, where the
// change can matter to them.
func (in *intake) touchIfSeen(old, row *loan.Loan) {
	if old.Officer != row.Officer || old.Branch != row.Branch || old.Open() != row.Open() || old.Disbursed != row.Disbursed || old.Maturity != row.Maturity {
		in.touchLoan(old)
		in.touchLoan(row)
	}
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
			stays := slices.ContainsFunc(found, func(f loan.Event) bool { return f.ID == e.ID })
			if e.Snapshot && strings.HasSuffix(e.ID, suffix) && !stays {
				if err := in.tx.DeleteEvent(e.ID); err != nil {
					return err
				}
				if err := in.audit("event.withdrawn", e.ID, map[string]any{"by": in.snap.Name}); err != nil {
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
	e.Learned = in.now
	in.reply.Events[e.Kind]++
	in.events[unit] = append(in.events[unit], e)
	in.plan(unit)
	if err := in.tx.PutEvent(unit, e); err != nil {
		return err
	}
	return in.audit("event.found", e.ID, map[string]any{"file": in.snap.Name, "fields": e.Fields})
}

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
				if v == nil || v.Branch != b && !inFile[f.ID] || !f.Gone.IsZero() || len(f.History) == 1 && f.History[0].From == in.on && inFile[f.ID] {
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

// takeSheets keeps what the other sheets of the file say.
func (in *intake) takeSheets() error {
	for i := range in.snap.Borrowers {
		b := in.snap.Borrowers[i]
		d, err := in.dossier(b.ID)
		if err != nil {
			return err
		}
		d.Borrower = &b
		in.changed[b.ID] = true
	}
	byLoan := map[string][]loan.Guarantor{}
	for _, g := range in.snap.Guarantors {
		byLoan[g.Loan] = append(byLoan[g.Loan], g)
	}
	for id, gs := range byLoan {
		d, f, err := in.loanFile(id)
		if err != nil {
			return err
		}
		if f == nil {
			in.warnings = append(in.warnings, fmt.Sprintf("保证人：借据 %s 不在台账中", id))
			continue
		}
		sort.Slice(gs, func(i, j int) bool { return gs[i].ID < gs[j].ID })
		f.Guarantors = gs
		in.changed[d.ID] = true
	}
	for i := range in.snap.Collaterals {
		c := in.snap.Collaterals[i]
		if len(c.Loans) == 0 {
			continue
		}
		d, f, err := in.loanFile(c.Loans[0])
		if err != nil {
			return err
		}
		if f == nil {
			in.warnings = append(in.warnings, fmt.Sprintf("押品 %s：借据 %s 不在台账中", c.ID, c.Loans[0]))
			continue
		}
		at := slices.IndexFunc(d.Collaterals, func(x *loan.Collateral) bool { return x.ID == c.ID })
		if at >= 0 {
			d.Collaterals[at] = &c
		} else {
			d.Collaterals = append(d.Collaterals, &c)
		}
		in.changed[d.ID] = true
	}
	for i := range in.snap.Branches {
		if err := in.tx.PutBranch(&in.snap.Branches[i]); err != nil {
			return err
		}
		in.plan(branchUnit(in.snap.Branches[i].ID))
	}
	for i := range in.snap.Staff {
		if err := in.tx.PutStaff(&in.snap.Staff[i]); err != nil {
			return err
		}
	}
	for i := range in.snap.Groups {
		if err := in.tx.PutGroup(&in.snap.Groups[i]); err != nil {
			return err
		}
	}
	return nil
}

// loanFile finds a loan in the dossiers at hand or in the store; nil where
// nobody has it.
func (in *intake) loanFile(id string) (*loan.Dossier, *loan.LoanFile, error) {
	for _, l := range in.snap.Loans {
		if l.ID == id {
			d, err := in.dossier(l.Borrower)
			if err != nil {
				return nil, nil, err
			}
			return d, fileOf(d, id), nil
		}
	}
	owner, err := in.tx.LoanOwner(id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	d, err := in.dossier(owner)
	if err != nil {
		return nil, nil, err
	}
	return d, fileOf(d, id), nil
}

// takeEvents keeps the events of an 事件 sheet.
func (in *intake) takeEvents() error {
	for _, e := range in.snap.Events {
		kind := in.book.Events[e.Kind]
		if kind == nil {
			return api.Errorf(api.BadFile, "declare it under events in rules.yaml, or mend the sheet", "%s: unknown event %q", in.snap.Name, e.Kind)
		}
		unit, err := in.tx.UnitOf(e.Subject)
		if errors.Is(err, store.ErrNotFound) {
			in.warnings = append(in.warnings, fmt.Sprintf("事件 %s：%s 不在台账中", e.Kind, e.Subject))
			continue
		}
		if err != nil {
			return err
		}
		if err := in.keepEvent(unit, e); err != nil {
			return err
		}
	}
	return nil
}

func (in *intake) finish(branches []string) error {
	changes := in.reply.New + in.reply.Changed + len(in.reply.Gone) + len(in.reply.Events)
	known, err := in.tx.ImportsOf(in.on)
	if err != nil {
		return err
	}
	in.reply.Same = changes == 0 && slices.ContainsFunc(known, func(i store.Import) bool { return i.Digest == in.snap.Digest })
	in.reply.Plan, in.reply.Failed = in.counts, in.failed
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
	if in.reply.Same && len(in.counts) == 0 {
		return nil // not a byte written
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
