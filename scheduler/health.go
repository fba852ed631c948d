package scheduler

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/robfig/cron/v3"

	"tickler/rules"
	"tickler/store"
)

// MinFree is how many bytes the disk must have free, unless Config says
// otherwise: the store grows by 16 MiB at a time.
const MinFree = 64 << 20

// ViewLimit is how long the daemon may hold one state of the store for a read.
const ViewLimit = time.Second

// problem is something that keeps the daemon from its work, in plain words.
type problem struct {
	blunt  string // for everybody, whoever may reach the daemon
	detail string // what else is known, for who sees every branch; may be ""
}

// full is the problem with all that is known.
func (p problem) full() string {
	if p.detail == "" {
		return p.blunt
	}
	return p.blunt + ": " + p.detail
}

// Healthy says whether the daemon does its work, and what keeps it from it. It
// names no customer, and asks nothing of the store that may be stuck.
func (s *Scheduler) Healthy(context.Context) (bool, []string) {
	var out []string
	for _, p := range s.problems() {
		out = append(out, p.blunt)
	}
	n, meta := s.pulse.seen()
	if book, _ := s.inForce(); !meta.BusinessDate.IsZero() {
		out = append(out, s.clockProblems(&meta, book)...)
	}
	if n > 0 {
		out = append(out, fmt.Sprintf("%d 个对象无法计算，其余照常；见 tickler status / %d subjects could not be worked out, the others go on; see \"tickler status\"", n, n))
	}
	return len(out) == 0, out
}

// Proving says that the store's pages are still being proved, so that changes
// wait. A daemon that does that is well: what it reads it proves by itself.
func (s *Scheduler) Proving() bool { return s.cfg.Store.Proving() }

const provingWords = "启动后正在校验数据库各页，期间可查询，变更须等待 / the store's pages are being proved: questions are answered, changes wait"

// heldBluntly says that a rulebook is held, without what it would change.
func heldBluntly(digest string) string {
	return "规则簿 " + shortDigest(digest) + " 已搁置 / is held"
}

// seen gives how many units could not be worked out, and the head record, as of
// the last scan.
func (p *pulse) seen() (subjects int, meta store.Meta) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.subjects, p.meta
}

// problems lists what is wrong, but for what the store has to be asked: the
// clock against its day, and the subjects that could not be worked out.
func (s *Scheduler) problems() []problem {
	var out []problem
	add := func(detail, format string, args ...any) {
		out = append(out, problem{fmt.Sprintf(format, args...), detail})
	}
	s.mu.RLock()
	if s.bookErr != "" {
		p := problem{blunt: s.bookErr}
		if s.held != nil {
			p = problem{heldBluntly(s.held.Digest), s.bookErr}
		}
		out = append(out, p)
	}
	if s.calErr != "" {
		add("", "%s", s.calErr)
	}
	if s.scanErr != "" {
		add(s.scanErr, "上次扫描失败，将重试 / the last scan failed and is tried again")
	}
	if p := s.keeper.trouble(); p != "" {
		add("", "%s", p)
	}
	since, zone := s.sinceScan(), s.book.Zone
	s.mu.RUnlock()
	if fault := s.pulse.stumble(); fault != "" {
		add(fault, "守护进程的一个环节出错 / a part of the daemon failed")
	}
	if s.cfg.Daemon && since > patience(s.sched, s.now().Add(-since).In(zone)) {
		add("", "已有 %s 没有成功的扫描 / no scan succeeded for %[1]s", since.Round(time.Second))
	}
	if err := s.cfg.Store.Err(); err != nil {
		add("", "%s", err)
	}
	v := s.cfg.Store.Vitals()
	if v.Failing != nil && !errors.Is(v.Failing, store.ErrOutcomeUnknown) {
		why := "写不进磁盘 / the store could not be written"
		if errors.Is(v.Failing, syscall.ENOSPC) || errors.Is(v.Failing, syscall.EDQUOT) {
			why = "磁盘已满，写不进去 / the disk is full: the store could not be written"
		}
		add(v.Failing.Error(), "%s (%s)", why, v.FailedSince.In(zone).Format("15:04:05"))
	}
	if v.Oldest > ViewLimit {
		add("", "一次读取已占用数据库 %s / a read has held the store for %[1]s", v.Oldest.Round(100*time.Millisecond))
	}
	if s.cfg.Data != "" {
		if free, known := diskFree(s.cfg.Data); known && free < s.minFree() {
			add("", "磁盘剩余 %d MiB，少于 %d MiB / the disk has %[1]d MiB free, less than %[2]d MiB", free>>20, s.minFree()>>20)
		}
		if err := unwritable(s.cfg.Data); err != nil {
			add("", "数据目录不可写 / nothing can be written into the data directory: %v", err)
		}
	}
	return out
}

// clockProblems holds the system's clock against the store's day.
func (s *Scheduler) clockProblems(meta *store.Meta, book *rules.Book) []string {
	var out []string
	if p := s.clockProblem(meta, book.Zone); p != "" {
		out = append(out, p)
	}
	if wall := s.wallDay(book); wall.AddDays(1) < meta.BusinessDate { // a day ahead is allowed to --on
		out = append(out, fmt.Sprintf("系统时钟 %s 早于营业日 %s / the clock was set back", wall, meta.BusinessDate))
	}
	return out
}

func (s *Scheduler) minFree() uint64 {
	if s.cfg.MinFree == 0 {
		return MinFree
	}
	return s.cfg.MinFree
}

func (p *pulse) stumble() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

// patience is how long after a scan the next one may fail to come: two of the
// schedule's intervals. A schedule may pause, over a weekend, say: then the
// second scan after it must have come.
func patience(sched cron.Schedule, last time.Time) time.Duration {
	last = last.Round(0) // the wall's reading, as the schedule has it
	next := sched.Next(last)
	second := sched.Next(next)
	if next.IsZero() || second.IsZero() {
		return time.Duration(1<<63 - 1) // none is to come any more
	}
	return max(2*second.Sub(next), second.Sub(last))
}
