package scheduler

import (
	"context"
	"errors"
	"fmt"

	"tickler/api"
	"tickler/ledger"
	"tickler/store"
)

// errDryRun takes back a change that was only tried.
var errDryRun = errors.New("dry run")

// errUnchanged takes back a change that turned out to be none, with what its
// beginning wrote: a record of a day that the head record then does not keep
// would let the next one go back behind it.
var errUnchanged = errors.New("unchanged")

// largeFile is a ledger, in rows, whose import needs much memory.
const largeFile = 30_000

// Import takes in one ledger file, whole or not at all: the facts, the events
// that the differences show, the plan, and the audit in one transaction. Where
// that is too much for one, what is left to be planned is planned after it. The
// same file again changes nothing; another file of the same data date takes
// the place of the first.
func (s *Scheduler) Import(ctx context.Context, actor Actor, r api.ImportRequest, data []byte) (*api.ImportReply, error) {
	if err := s.admits(ctx, actor, actImport, r.Name); err != nil {
		return nil, err
	}
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
	if snap.Loans.Len() > largeFile {
		defer large.begin()()
	}
	now := s.moment()
	var reply *api.ImportReply
	more := false
	err = s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		c, err := s.begin(tx, actor, r.On, r.Force, now)
		if err != nil {
			return err
		}
		if err := c.person.may(actImport); err != nil {
			return err
		}
		c.mayWait = !r.DryRun
		c.cause = "导入 " + snap.Name
		c.late = "导入时触发日已过"
		in := &intake{change: c, snap: snap, cal: cal, lang: r.Lang, on: snap.DataDate, reply: &api.ImportReply{
			Name: snap.Name, Digest: snap.Digest, Rows: snap.Loans.Len(), Events: map[string]int{}, DryRun: r.DryRun}}
		if in.on.IsZero() {
			in.on = c.today
		}
		in.reply.DataDate = in.on
		for _, p := range s.badFiles() {
			in.warnings = append(in.warnings, "仍按原有规则簿和日历处理 / the rulebook and calendar in force before stay: "+p)
		}
		err = in.take(r.AllowGone)
		if err != nil && !errors.Is(err, errUnchanged) {
			return err
		}
		reply, more = in.reply, in.more
		if err != nil {
			return err
		}
		if r.DryRun {
			return errDryRun
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDryRun) && !errors.Is(err, errUnchanged) {
		return nil, s.refused(ctx, actor, actImport, r.Name, refine(err))
	}
	if err != nil || !more {
		return reply, nil
	}
	snap = nil // what follows needs the room
	rest, err := s.resume(ctx, actor, r.On, r.Force, now, nil)
	addCounts(reply.Plan, rest.sighted)
	reply.Failed = append(reply.Failed, rest.failed...)
	if err != nil { // the file is taken, whatever comes after
		reply.Warnings = append(reply.Warnings, fmt.Sprintf("文件已导入；其余客户的计划由下次扫描接着做 / the file is taken; the next scan goes on planning: %v", refine(err)))
	}
	return reply, nil
}
