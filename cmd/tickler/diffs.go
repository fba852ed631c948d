package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"tickler/api"
	"tickler/obligation"
)

var diffWords = map[obligation.DifferenceKind]string{
	obligation.Added: "新增", obligation.Dropped: "取消", obligation.Earlier: "提前", obligation.Later: "推迟", obligation.Altered: "变更",
}

func (g *global) difference(k obligation.DifferenceKind) string { return g.tr(diffWords[k], string(k)) }

var diffHead = []string{"kind", "rule", "id", "borrower", "owner", "branch", "old_due", "new_due", "newly_overdue",
	"old_state", "new_state", "name", "subject_kind", "subject_id", "borrower_name", "loan", "role", "fields"}

// writeDiff writes what would change in the chosen form: the single
// obligations, then the totals.
func (g *global) writeDiff(r *api.DiffReply) error {
	switch g.output {
	case "json":
		return writeJSON(g.stdout, r)
	case "csv":
		return writeCSV(g.stdout, diffHead, func(yield func([]string) bool) {
			for i := range r.Changes {
				if !yield(diffRow(&r.Changes[i])) {
					return
				}
			}
		})
	case "name":
		var b strings.Builder
		for i := range r.Changes {
			b.WriteString(r.Changes[i].ID + "\n")
		}
		_, err := g.stdout.Write([]byte(b.String()))
		return err
	}
	if len(r.Changes) > 0 {
		if err := g.diffSheet(r.Changes, g.output == "wide").print(g.stdout, g.colour()); err != nil {
			return err
		}
		fmt.Fprintln(g.stdout)
	}
	if err := g.writeTotals(r); err != nil {
		return err
	}
	g.diffFooter(r)
	return nil
}

func diffRow(l *api.DiffLine) []string {
	var borrower api.Named
	if l.Borrower != nil {
		borrower = *l.Borrower
	}
	var fields []string
	for _, f := range l.Fields {
		fields = append(fields, f.Name+" "+f.Old+" -> "+f.New)
	}
	return []string{string(l.Kind), l.Rule, l.ID, borrower.ID, l.Owner, l.Branch, l.OldDue.String(), l.NewDue.String(), strconv.FormatBool(l.NewlyOverdue),
		string(l.OldState), string(l.NewState), l.Name, string(l.Subject.Kind), l.Subject.ID, borrower.Name, l.Loan, l.Role, strings.Join(fields, "; ")}
}

func (g *global) diffSheet(list []api.DiffLine, wide bool) *sheet {
	s := &sheet{
		heads:  []string{g.tr("编号", "ID"), g.tr("变动", "Change"), g.tr("截止日", "Due"), g.tr("事项", "Duty"), g.tr("对象", "Subject"), g.tr("责任人", "Owner")},
		shrink: []shrink{{4, 24}, {3, 16}, {4, 14}},
	}
	if wide {
		s.shrink = nil
		s.heads = append(s.heads, g.tr("规则", "Rule"), g.tr("机构", "Branch"), g.tr("其他变动", "Also"), g.tr("全称", "Full id"))
	}
	for i := range list {
		l := &list[i]
		o := &api.Obligation{Subject: l.Subject, Party: l.Party, Borrower: l.Borrower, Owner: l.Owner, Role: l.Role}
		kind := g.difference(l.Kind)
		var c text.Colors
		if l.NewlyOverdue {
			kind += g.tr("，即逾期", ", overdue")
			c = late
		}
		row := []string{l.Short, kind, g.movedDue(l), l.Name, g.subject(o), g.owner(o)}
		if wide {
			row = append(row, l.Rule, l.Branch, g.movedFields(l.Fields), l.ID)
		}
		s.add(c, row...)
	}
	return s
}

// movedDue is the due day, old -> new; where that is not what changes, what
// does.
func (g *global) movedDue(l *api.DiffLine) string {
	switch l.Kind {
	case obligation.Added:
		return "-> " + l.NewDue.String()
	case obligation.Dropped:
		return l.OldDue.String() + " ->"
	case obligation.Altered:
		return l.NewDue.String() + "  " + g.movedFields(l.Fields)
	}
	return l.OldDue.String() + " -> " + l.NewDue.String()
}

var fieldWords = map[string]string{
	"state": "状态", "raise": "触发日", "period_end": "期末", "provisional": "暂定", "owner": "责任人", "role": "岗位", "branch": "机构", "sign": "签批", "progress": "进度",
}

func (g *global) movedFields(fs []obligation.Field) string {
	var parts []string
	for _, f := range fs {
		word := func(v string) string {
			switch f.Name {
			case "state":
				return g.state(obligation.State(v))
			case "role":
				return g.role(v)
			case "provisional":
				return g.value(v)
			case "sign":
				var roles []string
				for _, r := range strings.Fields(v) {
					roles = append(roles, g.role(r))
				}
				v = strings.Join(roles, g.tr("、", ", "))
			}
			if v == "" {
				return "-"
			}
			return v
		}
		parts = append(parts, g.tr(fieldWords[f.Name], f.Name)+" "+word(f.Old)+" -> "+word(f.New))
	}
	return strings.Join(parts, g.tr("；", "; "))
}

// writeTotals counts by rule and by owner.
func (g *global) writeTotals(r *api.DiffReply) error {
	if r.Total.Changes() == 0 {
		return nil
	}
	for i, part := range []struct {
		head []string
		list []api.DiffTotal
	}{
		{[]string{g.tr("规则", "Rule"), g.tr("事项", "Duty")}, r.ByRule},
		{[]string{g.tr("责任人", "Owner"), g.tr("姓名", "Name")}, r.ByOwner},
	} {
		if i > 0 {
			fmt.Fprintln(g.stdout)
		}
		s := &sheet{heads: part.head, right: map[int]bool{}, shrink: []shrink{{1, 16}}}
		for _, k := range obligation.DifferenceKinds {
			s.right[len(s.heads)] = true
			s.heads = append(s.heads, g.tr(diffWords[k], strings.ToUpper(string(k[:1]))+string(k[1:])))
		}
		s.right[len(s.heads)] = true
		s.heads = append(s.heads, g.tr("其中即逾期", "Newly overdue"))
		for _, t := range part.list {
			id := t.ID
			if id == "" {
				id = g.tr("（按岗位）", "(by role)")
			}
			s.add(nil, append([]string{id, t.Name}, diffNumbers(t.DiffCount)...)...)
		}
		if len(part.list) > 1 {
			s.add(text.Colors{text.Bold}, append([]string{g.tr("合计", "Total"), ""}, diffNumbers(r.Total)...)...)
		}
		if err := s.print(g.stdout, g.colour()); err != nil {
			return err
		}
	}
	return nil
}

func diffNumbers(n api.DiffCount) []string {
	var out []string
	for _, k := range []int{n.Added, n.Dropped, n.Earlier, n.Later, n.Altered, n.NewlyOverdue} {
		out = append(out, strconv.Itoa(k))
	}
	return out
}

func (g *global) diffFooter(r *api.DiffReply) {
	for _, f := range r.Failed {
		fmt.Fprintln(g.stderr, g.tr("将无法推算：", "could not be worked out: ")+f)
	}
	t := r.Total
	if t.Changes() == 0 {
		fmt.Fprintln(g.stderr, g.tr(fmt.Sprintf("营业日 %s：未结事项 %d 项，没有变动。", r.Today, r.Open), fmt.Sprintf("business day %s: of %s nothing would change.", r.Today, plural(r.Open, "open obligation", "open obligations"))))
		return
	}
	fmt.Fprintln(g.stderr, g.tr(
		fmt.Sprintf("营业日 %s：未结事项 %d 项；新增 %d，取消 %d，提前 %d，推迟 %d，变更 %d；其中即逾期 %d。", r.Today, r.Open, t.Added, t.Dropped, t.Earlier, t.Later, t.Altered, t.NewlyOverdue),
		fmt.Sprintf("business day %s: %s; %d added, %d dropped, %d earlier, %d later, %d altered; %d of them newly overdue.", r.Today, plural(r.Open, "open obligation", "open obligations"), t.Added, t.Dropped, t.Earlier, t.Later, t.Altered, t.NewlyOverdue)))
	if r.Held {
		fmt.Fprintln(g.stderr, g.tr("变动超过限额：启用须由两人先后执行 tickler rules activate。", "That is over the limit: to come into force it has to be activated by two persons."))
	}
}
