package scheduler

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

// groupOf puts each kind of message into its group of a digest.
var groupOf = map[string]string{
	"raised": api.GroupRaised, "reopened": api.GroupRaised, "revived": api.GroupRaised, "returned": api.GroupRaised, "reassigned": api.GroupRaised,
	kindRemind: api.GroupReminders, kindEscalate: api.GroupEscalated, "moved": api.GroupMoved,
	"cancelled": api.GroupCancelled, "lapsed": api.GroupCancelled,
	"submitted": api.GroupClosed, "signed": api.GroupClosed, "done": api.GroupClosed, "waived": api.GroupClosed,
}

// digestKey names a digest: a person, or a role and its branch, and the day.
type digestKey struct {
	day              calendar.Date
	to, role, branch string
}

func (k digestKey) String() string {
	if k.to != "" {
		return k.day.String() + "/" + k.to
	}
	return k.day.String() + "/" + k.role + "@" + k.branch
}

// Outbox gives what would go to whom: a digest a person and day. They are put
// together as they are read, under the calendar in force: a notice that comes
// late still finds no digest on a day off.
func (s *Scheduler) Outbox(ctx context.Context, r api.OutboxRequest) (*api.OutboxReply, error) {
	book, cal := s.inForce()
	if r.To != "" && r.Role != "" || r.Branch != "" && r.Role == "" {
		return nil, api.Errorf(api.Usage, "", "want a person (--to), or a role (--role) and its branch (--branch)")
	}
	reply := &api.OutboxReply{}
	err := s.steady(ctx, func(pages viewer) error {
		o := &outbox{s: s, cal: cal, digests: map[digestKey][]store.Message{}, landed: map[calendar.Date]calendar.Date{}, plans: map[loan.Ref]*store.Plan{}, names: map[string]string{}}
		var to calendar.Date
		var first, number uint64
		err := pages(func(tx *store.Tx) error {
			meta, err := tx.Meta()
			if err != nil {
				return err
			}
			if o.view, err = s.look(ctx, tx); err != nil {
				return err
			}
			o.tx, o.today = tx, s.readingDay(&meta, book, r.On)
			reply.Today = o.today
			if reply.Next, err = digestDay(cal, reply.Today); err != nil {
				return err
			}
			var from calendar.Date
			if from, to, number, err = o.span(r); err != nil {
				return err
			}
			first, err = tx.FirstMessage(from)
			return err
		})
		if err != nil {
			return err
		}
		for first > 0 {
			err := pages(func(tx *store.Tx) (err error) {
				first, err = tx.ScanOutboxFrom(first, to, messagePage, o.take)
				return err
			})
			if err != nil {
				return err
			}
		}
		keys := slices.SortedFunc(maps.Keys(o.digests), func(a, b digestKey) int {
			return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(b2i(a.to == ""), b2i(b.to == "")), strings.Compare(a.to, b.to), strings.Compare(a.branch, b.branch), strings.Compare(a.role, b.role))
		})
		keys = slices.DeleteFunc(keys, func(k digestKey) bool {
			switch {
			case number > 0:
				return !slices.ContainsFunc(o.digests[k], func(m store.Message) bool { return m.ID == number })
			case r.ID != "":
				return k.String() != r.ID
			}
			return r.To != "" && k.to != r.To || r.Role != "" && (k.to != "" || k.role != r.Role || r.Branch != "" && k.branch != r.Branch) ||
				!r.On.IsZero() && k.day != r.On
		})
		if r.ID != "" && len(keys) == 0 {
			return api.Errorf(api.NotFound, "\"tickler outbox list\" shows them", "no digest %q waits to be sent", r.ID)
		}
		reply.Digests, err = o.tell(pages, keys, r.Items || r.ID != "")
		return err
	})
	if err != nil {
		return nil, s.refused(ctx, actorOf(ctx), actRead, "outbox", refine(err))
	}
	return reply, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// outbox is one reading of it.
type outbox struct {
	s       *Scheduler
	tx      *store.Tx
	view    *sight // whose digests are told
	cal     *calendar.Calendar
	today   calendar.Date
	digests map[digestKey][]store.Message
	landed  map[calendar.Date]calendar.Date // business day -> day of its digest
	plans   map[loan.Ref]*store.Plan
	names   map[string]string // borrower id -> name
}

// span gives the business days whose messages are asked for, and the number of
// the one message that is.
func (o *outbox) span(r api.OutboxRequest) (from, to calendar.Date, number uint64, err error) {
	day := r.On
	if r.ID != "" {
		if number, err = strconv.ParseUint(r.ID, 10, 64); err == nil {
			m, err := o.tx.Message(number)
			if errors.Is(err, store.ErrNotFound) {
				return 0, 0, 0, api.Errorf(api.NotFound, "\"tickler outbox list\" shows them", "no digest %q waits to be sent", r.ID)
			}
			if err != nil {
				return 0, 0, 0, err
			}
			if day, err = o.dayOf(&m); err != nil {
				return 0, 0, 0, err
			}
		} else {
			date, _, _ := strings.Cut(r.ID, "/")
			if day, err = calendar.ParseDate(date); err != nil {
				return 0, 0, 0, api.Errorf(api.NotFound, "\"tickler outbox list\" shows them", "no digest %q waits to be sent", r.ID)
			}
		}
	}
	if day.IsZero() {
		return 1, calendar.MustDate(9999, 12, 31), 0, nil
	}
	before, err := o.cal.AddWorkdays(day, -1)
	return before.Date.AddDays(1), day, number, err
}

func (o *outbox) dayOf(m *store.Message) (calendar.Date, error) {
	on := cmp.Or(m.On, m.Day)
	if d, ok := o.landed[on]; ok {
		return d, nil
	}
	d, err := digestDay(o.cal, on)
	o.landed[on] = d
	return d, err
}

// take puts a message into its digest.
func (o *outbox) take(m store.Message) error {
	if m.Obligation == "" || !o.view.branch(m.Branch) && !o.view.is(m.To) {
		return nil
	}
	day, err := o.dayOf(&m)
	if err != nil {
		return err
	}
	k := digestKey{day: day, to: m.To}
	if m.To == "" {
		k.role, k.branch = m.Role, m.Branch
	}
	o.digests[k] = append(o.digests[k], m)
	return nil
}

// tell gives digests the form that people see.
func (o *outbox) tell(pages viewer, keys []digestKey, items bool) ([]api.Digest, error) {
	out := make([]api.Digest, 0, len(keys))
	var staff map[string]*loan.Staff
	var head api.Head
	err := pages(func(tx *store.Tx) (err error) {
		if staff, err = tx.Staff(); err != nil {
			return err
		}
		head.Seq, head.Hash, err = tx.AuditHead()
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		d := api.Digest{ID: k.String(), Day: k.day, Role: k.role, Branch: k.branch, Status: api.DigestWaits, Counts: api.DigestCounts{}, Groups: []api.DigestGroup{}, Audit: head}
		if k.to != "" {
			d.To = &api.Named{ID: k.to}
			if p := staff[k.to]; p != nil {
				d.To.Name = p.Name
			}
		}
		for _, g := range api.DigestGroups {
			d.Counts[g] = 0
		}
		grouped := map[string][]api.DigestItem{}
		for i := range o.digests[k] {
			d.Counts[cmp.Or(groupOf[o.digests[k][i].Kind], api.GroupOther)]++
		}
		for rest := o.digests[k]; items && len(rest) > 0; {
			err := pages(func(tx *store.Tx) error {
				o.tx = tx
				for began := Now(); len(rest) > 0 && !full(began); rest = rest[1:] {
					item, err := o.item(&rest[0])
					if err != nil {
						return err
					}
					g := cmp.Or(groupOf[rest[0].Kind], api.GroupOther)
					grouped[g] = append(grouped[g], item)
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		for _, g := range api.DigestGroups {
			if list := grouped[g]; len(list) > 0 {
				slices.SortStableFunc(list, func(a, b api.DigestItem) int { return cmp.Compare(a.Due, b.Due) })
				d.Groups = append(d.Groups, api.DigestGroup{Group: g, Items: list})
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// item gives a message with its obligation as it is now; one that is not there
// any more has its id alone.
func (o *outbox) item(m *store.Message) (api.DigestItem, error) {
	item := api.DigestItem{Message: m.ID, Kind: m.Kind, Stands: m.Day, On: cmp.Or(m.On, m.Day), Late: m.Late, Obligation: m.Obligation, Branch: m.Branch, Role: m.Role, Owner: m.To}
	key, err := obligation.ParseKey(m.Obligation)
	if err != nil {
		return item, nil
	}
	item.Rule, item.Subject, item.Short = key.Rule, key.Subject, key.Short()
	unit, err := o.tx.UnitOf(key.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return item, nil
	}
	if err != nil {
		return item, err
	}
	plan, ok := o.plans[unit]
	if !ok {
		if plan, err = o.tx.Plan(unit); err != nil {
			return item, err
		}
		o.plans[unit] = plan
	}
	if plan == nil {
		return item, nil
	}
	i := slices.IndexFunc(plan.Obligations, func(x obligation.Obligation) bool { return x.Key == key })
	if i < 0 {
		return item, nil
	}
	v, err := o.s.present(o.tx, o.cal, o.today, &plan.Obligations[i], o.names)
	if err != nil {
		return item, err
	}
	item.Name, item.Borrower, item.Branch, item.Owner, item.Role = v.Name, v.Borrower, v.Branch, v.Owner, v.Role
	item.Due, item.WasDue, item.Provisional, item.State, item.Overdue = v.Due, v.WasDue, v.Provisional, v.State, v.Overdue
	item.LateDays, item.DaysLeft, item.Cause = v.LateWorkdays, v.WorkdaysLeft, v.Cause
	return item, nil
}
