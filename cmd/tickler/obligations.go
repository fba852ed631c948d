package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"

	"tickler/api"
	"tickler/obligation"
)

var (
	late = text.Colors{text.FgRed}
	soon = text.Colors{text.FgYellow}
)

// soonWorkdays is how near a due day is shown in yellow.
const soonWorkdays = 3

// printObligations writes a list in the chosen form: data on stdout, counts
// and explanations on stderr.
func (g *global) printObligations(list []api.Obligation) error {
	switch g.output {
	case "json":
		return writeObligationsJSON(g.stdout, sound(list))
	case "csv":
		return writeObligationsCSV(g.stdout, list)
	case "name":
		var b strings.Builder
		for i := range list {
			b.WriteString(list[i].ID + "\n")
		}
		_, err := g.stdout.Write([]byte(b.String()))
		return err
	}
	wide := g.output == "wide"
	if len(list) > 0 {
		if err := g.obligationSheet(list, wide).print(g.stdout, g.colour()); err != nil {
			return err
		}
	}
	g.obligationFooter(list)
	return nil
}

// sound makes what is promised to be a list one.
func sound(list []api.Obligation) []api.Obligation {
	if list == nil {
		list = []api.Obligation{}
	}
	for i := range list {
		if list[i].Signatures == nil {
			list[i].Signatures = []api.Signature{}
		}
		if t := list[i].RaisedAt; t != nil {
			s := t.UTC().Truncate(time.Second)
			list[i].RaisedAt = &s
		}
	}
	return list
}

func (g *global) obligationSheet(list []api.Obligation, wide bool) *sheet {
	s := &sheet{
		heads:  []string{g.tr("编号", "ID"), g.tr("截止日", "Due"), g.tr("工作日", "Workdays"), g.tr("状态", "State"), g.tr("事项", "Duty"), g.tr("对象", "Subject"), g.tr("责任人", "Owner")},
		right:  map[int]bool{2: true},
		shrink: []shrink{{5, 24}, {4, 16}, {6, 8}, {5, 14}},
	}
	if wide {
		s.shrink = nil
		s.heads = append(s.heads, g.tr("客户", "Borrower"), g.tr("机构", "Branch"), g.tr("期次", "Occurrence"), g.tr("起算日", "Anchor"), g.tr("触发日", "Raise"), g.tr("暂定", "Provisional"), g.tr("全称", "Full id"))
	}
	for i := range list {
		o := &list[i]
		row := []string{o.Short, o.Due.String() + star(o.Provisional), g.left(o), g.state(o.State), o.Name, g.subject(o), g.owner(o)}
		if wide {
			borrower := ""
			if o.Borrower != nil {
				borrower = strings.TrimSpace(o.Borrower.ID + " " + o.Borrower.Name)
			}
			row = append(row, borrower, o.Branch, o.Occurrence, o.Anchor.String(), o.Raise.String(), g.yes(o.Provisional), o.ID)
		}
		s.add(shade(o), row...)
	}
	return s
}

func shade(o *api.Obligation) text.Colors {
	switch {
	case o.Overdue:
		return late
	case !o.State.Ended() && o.State != obligation.Submitted && o.WorkdaysLeft <= soonWorkdays:
		return soon
	}
	return nil
}

func star(provisional bool) string {
	if provisional {
		return "*"
	}
	return ""
}

func (g *global) yes(b bool) string {
	if b {
		return g.tr("是", "yes")
	}
	return ""
}

// left says how many working days are left, or how late it is.
func (g *global) left(o *api.Obligation) string {
	switch {
	case o.State == obligation.Cancelled || o.State == obligation.Waived:
		return "-"
	case o.State == obligation.Lapsed:
		return g.tr("未办", "missed")
	case o.State == obligation.Done || o.State == obligation.Submitted:
		if o.LateWorkdays > 0 {
			n := strconv.Itoa(o.LateWorkdays)
			return g.tr("晚 "+n, n+" late")
		}
		return g.tr("按时", "in time")
	case o.Overdue:
		n := strconv.Itoa(o.LateWorkdays)
		return g.tr("逾期 "+n, n+" over")
	case o.WorkdaysLeft == 0:
		return g.tr("今天", "today")
	}
	n := strconv.Itoa(o.WorkdaysLeft)
	return g.tr("剩 "+n, n+" left")
}

// standing is state and time left in one phrase.
func (g *global) standing(o *api.Obligation) string {
	left := g.left(o)
	if n, word, ok := strings.Cut(left, " "); ok && g.lang == "en" && n != "in" {
		left = n + " workdays " + word // 3 workdays left
	} else if ok && g.lang == "zh" {
		left += " 个工作日"
	}
	return g.tr("（"+g.state(o.State)+"，"+left+"）", "("+g.state(o.State)+", "+left+")")
}

// subject is the loan and whose it is, or who else it is about.
func (g *global) subject(o *api.Obligation) string {
	s := o.Subject.ID
	if o.Subject.Kind != "loan" {
		s = g.kind(o.Subject.Kind) + " " + s
	}
	if o.Borrower != nil && o.Borrower.Name != "" && o.Borrower.Name != o.Subject.ID {
		s += " " + o.Borrower.Name
	}
	if o.Party != nil && !(o.Party.Kind == o.Subject.Kind && o.Party.ID == o.Subject.ID) {
		name := o.Party.Name
		if name == "" {
			name = o.Party.ID
		}
		s += " → " + name
	}
	return s
}

func (g *global) owner(o *api.Obligation) string {
	if o.Owner == "" {
		return g.role(o.Role)
	}
	return o.Owner
}

// obligationFooter counts, and explains the star.
func (g *global) obligationFooter(list []api.Obligation) {
	overdue, near, provisional := 0, 0, false
	for i := range list {
		o := &list[i]
		provisional = provisional || o.Provisional
		switch {
		case o.Overdue:
			overdue++
		case shade(o) != nil:
			near++
		}
	}
	if provisional {
		g.explainStar()
	}
	if len(list) == 0 {
		fmt.Fprintln(g.stderr, g.tr("没有符合条件的事项。", "Nothing to show."))
		return
	}
	fmt.Fprintln(g.stderr, g.tr(
		fmt.Sprintf("共 %d 项：逾期 %d 项，%d 个工作日内到期 %d 项。", len(list), overdue, soonWorkdays, near),
		fmt.Sprintf("%s: %d overdue, %d due within %d workdays.", plural(len(list), "obligation", "obligations"), overdue, near, soonWorkdays)))
}

func (g *global) explainStar() {
	fmt.Fprintln(g.stderr, g.tr("* 暂定：所在年度的放假通知尚未载入，通知公布后截止日可能变动。", "* provisional: the year's holiday notice is not loaded; the day may change when it is."))
}

// csvHead are the JSON names; what is nested has both.
var csvHead = []string{"id", "rule", "name", "clause", "set", "subject_kind", "subject_id", "party_kind", "party_id", "party_name",
	"borrower_id", "borrower_name", "loan", "branch", "owner", "role", "occurrence", "anchor", "raise", "due", "provisional",
	"state", "overdue", "workdays_left", "late_workdays", "raised_at", "submitted_on", "signatures", "done_on", "rulebook", "calendar",
	"short", "period_end", "was_due", "late", "cause", "closed_by", "stated", "notice"}

// writeObligationsCSV writes the lines of a list, under csvHead.
func writeObligationsCSV(w io.Writer, list []api.Obligation) error {
	c := newCSVLines(w)
	if err := c.head(csvHead); err != nil {
		return err
	}
	for i := range list {
		csvRow(c, &list[i])
		if err := c.end(); err != nil {
			return err
		}
	}
	return c.flush()
}

// csvRow appends the cells of csvHead.
func csvRow(c *csvLines, o *api.Obligation) {
	var party obligation.Party
	if o.Party != nil {
		party = *o.Party
	}
	var borrower api.Named
	if o.Borrower != nil {
		borrower = *o.Borrower
	}
	signed := ""
	for i, s := range o.Signatures {
		if i > 0 {
			signed += "; "
		}
		signed += s.Role + " " + s.By + " " + s.On.String()
	}
	c.text(o.ID)
	c.text(o.Rule)
	c.text(o.Name)
	c.text(o.Clause)
	c.text(o.Set)
	c.text(string(o.Subject.Kind))
	c.text(o.Subject.ID)
	c.text(string(party.Kind))
	c.text(party.ID)
	c.text(party.Name)
	c.text(borrower.ID)
	c.text(borrower.Name)
	c.text(o.Loan)
	c.text(o.Branch)
	c.text(o.Owner)
	c.text(o.Role)
	c.text(o.Occurrence)
	c.day(o.Anchor)
	c.day(o.Raise)
	c.day(o.Due)
	c.yes(o.Provisional)
	c.text(string(o.State))
	c.yes(o.Overdue)
	c.number(o.WorkdaysLeft)
	c.number(o.LateWorkdays)
	c.moment(o.RaisedAt)
	c.day(o.SubmittedOn)
	c.text(signed)
	c.day(o.DoneOn)
	c.text(o.Rulebook)
	c.text(o.Calendar)
	c.text(o.Short)
	c.day(o.PeriodEnd)
	c.day(o.WasDue)
	c.text(o.Late)
	c.text(o.Cause)
	c.text(o.ClosedBy)
	c.yes(o.Stated)
	c.text(o.Notice)
}

// warn tells what a reply warns of, each once.
func (g *global) warn(warnings []string) {
	seen := []string{}
	for _, w := range warnings {
		if !slices.Contains(seen, w) {
			seen = append(seen, w)
			fmt.Fprintln(g.stderr, g.tr("提示：", "warning: ")+g.half(w))
		}
	}
}

// half picks the chosen language of a sentence that comes as "中文 / English".
func (g *global) half(s string) string {
	zh, en, ok := strings.Cut(s, " / ")
	if !ok || !strings.ContainsFunc(zh, isHan) || strings.ContainsFunc(en, isHan) {
		return s
	}
	return g.tr(zh, en)
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }
