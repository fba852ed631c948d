package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sort"
	"strconv"
	"strings"

	"tickler/loan"
)

func itoa(n int) string { return strconv.Itoa(n) }

func (a at) en() string {
	if a.sheet == "" {
		return "row " + itoa(a.row)
	}
	return "row " + itoa(a.row) + " of sheet " + a.sheet
}

func (a at) zh() string {
	if a.sheet == "" {
		return "第 " + itoa(a.row) + " 行"
	}
	return "工作表 " + a.sheet + " 第 " + itoa(a.row) + " 行"
}

// need refuses a row whose needed field is empty.
func (r *reader) need(field string, empty bool) {
	if empty {
		r.badField(field, "", Text{"要有 " + field, "want " + field + ", the cell is empty"}, Text{"补上，或删去该行", "fill it in, or delete the row"})
	}
}

// once refuses an identifier that an earlier row of the file has.
func (r *reader) once(field, id string) {
	m := r.f.seen[r.m.kind]
	if m == nil {
		m = &seen{}
		r.f.seen[r.m.kind] = m
	}
	first, twice := m.put(id, at{r.sheet, r.row})
	if !twice {
		return
	}
	r.badField(field, id, Text{"要不重复的" + field + "，" + first.zh() + "已有", "want each " + field + " once, " + first.en() + " has it"},
		Text{"删去其中一行", "delete one of the two rows"})
}

// finish checks the row that was filled and keeps it. good says that every
// cell could be read; where one could not, what is empty is not asked for.
func (r *reader) finish(good bool) {
	r.rows++
	before := r.f.errs.Count
	out := r.f.out
	switch r.m.kind {
	case KindLoan:
		r.finishLoan(good)
		if len(r.x) > 0 {
			r.loan.X = r.x
		}
		if good && r.f.errs.Count == before {
			out.Loans.Append(&r.loan)
		}
	case KindBorrower:
		if good {
			r.need("客户号", r.borrower.ID == "")
		}
		r.onceIf("客户号", r.borrower.ID)
		if r.hasExposure && r.borrower.Exposure == 0 {
			r.mark("敞口", "0")
		}
		r.borrower.X = r.x
		out.Borrowers = append(out.Borrowers, r.borrower)
	case KindGuarantor:
		if good {
			r.need("借据号", r.guarantor.Loan == "")
			r.need("保证人", r.guarantor.Name == "")
		}
		if r.guarantor.ID == "" {
			r.guarantor.ID = r.guarantor.Name
		}
		r.guarantor.X = r.x
		out.Guarantors = append(out.Guarantors, r.guarantor)
	case KindCollateral:
		if good {
			r.need("押品号", r.collateral.ID == "")
			r.need("借据号", len(r.collateral.Loans) == 0)
		}
		r.collateral.X = r.x
		r.mergeCollateral()
	case KindGroup:
		if good {
			r.need("集团号", r.group.ID == "")
			r.need("成员客户号", r.member.Borrower == "")
		}
		r.mergeGroup()
	case KindBranch:
		if good {
			r.need("机构号", r.branch.ID == "")
		}
		r.onceIf("机构号", r.branch.ID)
		r.branch.X = r.x
		out.Branches = append(out.Branches, r.branch)
	case KindStaff:
		if good {
			r.need("工号", r.staff.ID == "")
		}
		r.onceIf("工号", r.staff.ID)
		out.Staff = append(out.Staff, r.staff)
	case KindEvent:
		if good {
			r.need("事件", r.event.Kind == "")
			r.need("对象", r.event.Subject.IsZero())
			r.need("日期", r.event.Happened.IsZero())
		}
		r.event.Fields = r.x
		if r.event.ID == "" {
			r.event.ID = r.madeID()
		}
		r.onceIf("编号", r.event.ID)
		out.Events = append(out.Events, r.event)
		out.EventAt = append(out.EventAt, Problem{File: r.f.name, Sheet: r.sheet, Row: r.row})
	}
}

// mark keeps beside the row what its fields cannot say: that one was empty, or
// that 0 was written.
func (r *reader) mark(column, text string) {
	if r.x == nil {
		r.x = map[string]string{}
	}
	r.x[column] = text
}

func (r *reader) onceIf(field, id string) {
	if id != "" {
		r.once(field, id)
	}
}

func (r *reader) finishLoan(good bool) {
	l := &r.loan
	if good {
		r.need("借据号", l.ID == "")
		r.need("客户名称", l.BorrowerName == "")
		r.need("发放日", l.Disbursed.IsZero())
	}
	if l.ID != "" {
		r.once("借据号", l.ID)
		if n := len(l.ID); n > 15 && digitsOnly(l.ID) {
			r.longIDs++
			if trailingZeros(l.ID[15:]) {
				r.zeroIDs++
			}
		}
	}
	if l.Borrower == "" {
		l.Borrower = l.BorrowerName
	}
	if !r.hasBalance {
		// An empty cell read as 0 would settle the loan and end its duties.
		if good && !endedStatus(l.Status) {
			r.badField("余额", "", Text{"要有余额", "want the balance"}, Text{"补上；已结清的填 0", "fill it in; 0 if the loan is settled"})
		}
		r.noBalance++
	}
	if l.Class == "" {
		l.Class = loan.Normal
		r.noClass++
		r.mark(loan.ColumnClass, loan.Assumed)
	}
	if l.Mode == "" {
		l.Mode = loan.Regular
		r.noMode++
		r.mark(loan.ColumnMode, loan.Assumed)
	}

	field := "到期日"
	if !r.putOff.IsZero() {
		if l.OriginalMaturity.IsZero() {
			l.OriginalMaturity = l.Maturity
		}
		if r.putOff < l.Maturity {
			r.earlier++
		}
		l.Maturity, field = r.putOff, "展期到期日"
	}
	if l.Maturity.IsZero() && r.term > 0 {
		l.Maturity = l.Disbursed.AddMonths(r.term)
	}
	if l.Maturity.IsZero() {
		r.noMaturity++
	} else if l.Maturity < l.Disbursed {
		r.badField(field, l.Maturity.String(), Text{"要不早于发放日 " + l.Disbursed.String() + " 的日期", "want a day not before the disbursement, " + l.Disbursed.String()},
			Text{"改正到期日或发放日", "correct the maturity or the disbursement"})
	}
	if l.Interest.PayDay == 0 && l.Interest.PayDate.IsZero() && !r.settled {
		l.Interest.PayDate = r.nextPay
	}
	if len(l.FeeDates) > 1 {
		slices.Sort(l.FeeDates)
		l.FeeDates = slices.Compact(l.FeeDates)
	}
}

// endedStatus says that the bank's own word for a loan's state means that
// nothing is left of it.
func endedStatus(s string) bool {
	for _, w := range []string{"未结清", "部分结清"} {
		if strings.Contains(s, w) {
			return false
		}
	}
	for _, w := range []string{"结清", "核销", "销户", "注销"} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

func digitsOnly(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func trailingZeros(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '0' {
			return false
		}
	}
	return true
}

// earlierRow gives the place of an earlier row of the same thing, kept under
// index i of what the snapshot holds of the kind.
func (r *reader) earlierRow(id string, n int) (i int, where at, ok bool) {
	k := r.m.kind
	if r.f.merged[k] == nil {
		r.f.merged[k], r.f.mergedAt[k] = map[string]int{}, map[string]at{}
	}
	if i, ok = r.f.merged[k][id]; ok {
		return i, r.f.mergedAt[k][id], true
	}
	r.f.merged[k][id], r.f.mergedAt[k][id] = n, at{r.sheet, r.row}
	return n, at{}, false
}

// mergeCollateral adds the row to the thing of the same number, which may
// secure several loans.
func (r *reader) mergeCollateral() {
	c := &r.collateral
	out := r.f.out
	i, where, ok := r.earlierRow(c.ID, len(out.Collaterals))
	if !ok {
		slices.Sort(c.Loans)
		out.Collaterals = append(out.Collaterals, *c)
		return
	}
	old := &out.Collaterals[i]
	old.Loans = append(old.Loans, c.Loans...)
	slices.Sort(old.Loans)
	old.Loans = slices.Compact(old.Loans)
	for _, err := range []string{
		same(&old.Name, c.Name, "名称"), same(&old.Type, c.Type, "种类"),
		same(&old.Value, c.Value, "评估价值"), same(&old.Valued, c.Valued, "评估日"),
		same(&old.InsuredUntil, c.InsuredUntil, "保险到期日"), same(&old.LastInspected, c.LastInspected, "上次检查日"),
	} {
		if err != "" {
			r.badField(err, "", Text{"同一押品号要同一" + err + "，" + where.zh() + "另有一个", "want one " + err + " for one 押品号, " + where.en() + " has another"},
				Text{"改正其中一行", "correct one of the two rows"})
		}
	}
	for k, v := range c.X {
		if old.X == nil {
			old.X = map[string]string{}
		}
		if _, ok := old.X[k]; !ok {
			old.X[k] = v
		}
	}
}

// same fills an empty value in, and gives the field's name where two differ.
func same[T comparable](old *T, v T, field string) string {
	var zero T
	switch {
	case v == zero || *old == v:
	case *old == zero:
		*old = v
	default:
		return field
	}
	return ""
}

func (r *reader) mergeGroup() {
	out := r.f.out
	i, where, ok := r.earlierRow(r.group.ID, len(out.Groups))
	if !ok {
		r.group.Members = []loan.GroupMember{r.member}
		out.Groups = append(out.Groups, r.group)
		return
	}
	old := &out.Groups[i]
	if same(&old.Name, r.group.Name, "集团名称") != "" {
		r.badField("集团名称", r.group.Name, Text{"同一集团号要同一集团名称，" + where.zh() + "是 " + old.Name, "want one 集团名称 for one 集团号, " + where.en() + " says " + old.Name},
			Text{"改正其中一行", "correct one of the two rows"})
	}
	if !slices.Contains(old.Members, r.member) {
		old.Members = append(old.Members, r.member)
	}
}

// madeID makes an id of what the event's row says, so that the same file again
// gives the same ids. Rows that say the same are told apart by their order.
func (r *reader) madeID() string {
	e := &r.event
	h := sha256.New()
	put := func(s string) {
		h.Write([]byte(itoa(len(s)) + ":" + s))
	}
	put(e.Kind)
	put(e.Subject.String())
	put(e.Happened.String())
	put(e.Period)
	keys := make([]string, 0, len(e.Fields))
	for k := range e.Fields {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		put(k)
		put(e.Fields[k])
	}
	id := "row-" + hex.EncodeToString(h.Sum(nil)[:8])
	r.f.made[id]++
	if n := r.f.made[id]; n > 1 {
		id += "-" + itoa(n)
	}
	return id
}

// warn turns the counts of a sheet into warnings.
func (r *reader) warn() {
	add := func(code, column string, n int, zh, en string) {
		if n > 0 {
			r.f.out.Warnings = append(r.f.out.Warnings, Warning{Code: code, Sheet: r.sheet, Column: column, Count: n, Text: Text{zh, en}})
		}
	}
	n := itoa
	if r.m.kind == KindLoan {
		add("mode_default", "管理方式", r.noMode, n(r.noMode)+" 笔没有管理方式，按常规读入", n(r.noMode)+" loans without 管理方式 were read as 常规")
		add("class_default", "五级分类", r.noClass, n(r.noClass)+" 笔没有五级分类，按正常读入", n(r.noClass)+" loans without 五级分类 were read as 正常")
		add("no_maturity", "到期日", r.noMaturity, n(r.noMaturity)+" 笔既没有到期日也没有期限，没有到期提醒", n(r.noMaturity)+" loans have neither 到期日 nor 期限: nothing will fall due at their maturity")
		add("balance_empty", "余额", r.noBalance, n(r.noBalance)+" 笔已结清或核销的余额为空，按 0 读入", n(r.noBalance)+" settled or written-off loans with an empty 余额 were read as 0")
		add("extension_earlier", "展期到期日", r.earlier, n(r.earlier)+" 笔展期到期日早于到期日，按展期到期日读入", n(r.earlier)+" loans have a 展期到期日 before their 到期日: it was taken")
		if r.zeroIDs > 1 && r.zeroIDs == r.longIDs {
			add("id_zeros", "借据号", r.zeroIDs, n(r.zeroIDs)+" 个借据号第 15 位以后全是 0，可能已丢失精度", n(r.zeroIDs)+" 借据号 have nothing but zeros after the 15th digit: the last digits may be lost")
		}
	}
	for i := range r.m.columns {
		c := &r.m.columns[i]
		add("amount_rounded", c.header, c.lax, n(c.lax)+" 个金额的小数不止两位，已四舍五入到分", n(c.lax)+" amounts had more than two decimals and were rounded to the fen")
	}
}
