package ledger

import (
	"strings"
	"unicode"

	"tickler/calendar"
)

// normal gives the form in which headers are compared, and what stood in
// brackets: width folded, small letters, without blanks and signs, 日期 as 日.
func normal(header string) (name string, notes []string) {
	var b, note strings.Builder
	depth := 0
	for _, r := range strings.ToLower(fold(header)) {
		switch {
		case strings.ContainsRune("([{<【〔《", r):
			depth++
		case strings.ContainsRune(")]}>】〕》", r):
			if depth > 0 {
				if depth--; depth == 0 {
					notes = append(notes, note.String())
					note.Reset()
				}
			}
		case blank(r):
		case r != '%' && r != '‰' && (unicode.IsPunct(r) || unicode.IsSymbol(r)):
		case depth > 0:
			note.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	if note.Len() > 0 { // a bracket that is never closed
		notes = append(notes, note.String())
	}
	name = b.String()
	if s, ok := strings.CutSuffix(name, "日期"); ok && s != "" {
		name = s + "日"
	}
	return name, notes
}

var unbracketed = strings.NewReplacer("(", "", ")", "", "[", "", "]", "", "{", "", "}", "", "<", "", ">", "", "【", "", "】", "", "〔", "", "〕", "", "《", "", "》", "")

// moneyPower gives the power of ten of a unit of money as a header writes it.
func moneyPower(s string) (power int, ok bool) {
	for _, w := range []string{"单位", "金额", "折合", "折", "人民币", "本币", "rmb", "cny"} {
		s = strings.TrimPrefix(s, w)
	}
	switch s {
	case "", "元", "¥":
		return 0, true
	case "千元", "仟元":
		return 3, true
	case "万元", "万":
		return 4, true
	case "百万元", "百万":
		return 6, true
	case "亿元", "亿":
		return 8, true
	}
	return 0, false
}

// unitName is the name of a power of ten of a yuan.
func unitName(power int) string {
	switch power {
	case 3:
		return "千元"
	case 4:
		return "万元"
	case 6:
		return "百万元"
	case 8:
		return "亿元"
	}
	return "元"
}

// remark says that a note in brackets says nothing of the unit.
func remark(s string) bool {
	switch s {
	case "", "必填", "必输", "选填", "可选", "非必填", "主键", "key", "pk", "文本":
		return true
	}
	return false
}

// find gives the field that a header names. power is the unit's, -1 where the
// header does not say.
func (v *vocabulary) find(kind Kind, header string) (p place, power int, ok bool) {
	if p, ok = v.exact[trim(header)]; ok {
		return p, -1, true
	}
	name, notes := normal(header)
	if p, ok = v.normal[name]; ok {
		if power, ok = allowed(specs[kind][p.field].unit, notes); ok {
			return p, power, true
		}
	}
	// Brackets around a part of the name: 贷款（实际）发放日期, 到期日（期）.
	if len(notes) > 0 {
		whole, _ := normal(unbracketed.Replace(fold(header)))
		if p, ok = v.normal[whole]; ok {
			return p, -1, true
		}
	}
	// The unit may stand behind the name without brackets: 余额万元, 期限月.
	for _, suffix := range []string{"人民币元", "百万元", "千元", "万元", "亿元", "元", "个月", "月数", "月", "%", "‰"} {
		short, cut := strings.CutSuffix(name, suffix)
		if !cut {
			continue
		}
		for _, s := range []string{short, strings.TrimSuffix(short, "单位")} {
			if p, ok = v.normal[s]; !ok {
				continue
			}
			u := specs[kind][p.field].unit
			if (u == months) != (suffix == "个月" || suffix == "月数" || suffix == "月") || u == days {
				continue
			}
			if u == noUnit && suffix != "%" && suffix != "‰" {
				continue
			}
			if u == money && (suffix == "%" || suffix == "‰") {
				continue
			}
			if u == money {
				notes = append(notes, suffix)
			}
			if power, ok = allowed(u, notes); ok {
				return p, power, true
			}
		}
	}
	return place{}, -1, false
}

// allowed says whether a field may have these notes in brackets, and the unit
// they give.
func allowed(u unit, notes []string) (power int, ok bool) {
	power = -1
	for _, n := range notes {
		switch {
		case remark(n), u == noUnit:
		case u == money:
			p, ok := moneyPower(n)
			if !ok || (power >= 0 && power != p) {
				return -1, false
			}
			power = p
		case u == months:
			if n != "月" && n != "个月" && n != "月数" && n != "单位月" {
				return -1, false
			}
		case u == days:
			if strings.Trim(n, "ymd年月日hs时分秒格式如0123456789") != "" {
				return -1, false
			}
		}
	}
	return power, true
}

// column is one column of a sheet as it will be read.
type column struct {
	header string
	spec   *spec // nil for an unknown one
	drop   bool  // named by the mapping's ignore
	form   amountForm
	values map[string]string // of the mapping: the bank's word -> ours
	lax    int               // amounts rounded

	// The word that was read last, and the day: many a column says the same in
	// every row.
	lastWord []byte // as the file has it; empty for none
	word     string
	lastDay  []byte
	day      calendar.Date
}

// match is a header row read as one kind.
type match struct {
	kind    Kind
	row     int // of the header; the lower one where it takes two rows
	columns []column
	known   int
	missing []string // needed fields without a column
	twice   []twice
}

// twice is a field that two columns claim.
type twice struct{ field, first, second string }

// matchHeader reads a row as the header of the kind.
func matchHeader(kind Kind, row []string, m *Mapping) match {
	v, fields := vocabularies()[kind], specs[kind]
	out := match{kind: kind, columns: make([]column, len(row))}
	taken := make([]int, len(fields)) // 1 + column
	rank := make([]int, len(fields))  // 1 a fallback name, 2 a name, 3 the mapping
	for i, header := range row {
		c := &out.columns[i]
		c.header = trim(header)
		c.form.power = -1
		if c.header == "" {
			continue
		}
		var (
			p     place
			ok    bool
			power = -1
			level = 2
		)
		to, drop, mapped := m.column(c.header)
		switch {
		case drop:
			c.drop = true
			continue
		case mapped:
			if p, ok = v.exact[to]; ok {
				level = 3
				_, notes := normal(c.header)
				if fields[p.field].unit == money {
					power, _ = allowed(money, notes)
				}
			}
		default:
			if p, power, ok = v.find(kind, c.header); p.fallback {
				level = 1
			}
		}
		if !ok {
			continue
		}
		f := p.field
		switch {
		case level > rank[f]:
			if t := taken[f]; t > 0 {
				out.columns[t-1].spec = nil
			}
			c.spec, c.form.power = &fields[f], power
			taken[f], rank[f] = i+1, level
		case level == rank[f]:
			out.twice = append(out.twice, twice{fields[f].name, out.columns[taken[f]-1].header, c.header})
		}
	}
	// A name of lower rank that was there twice matters no more once a better
	// one took the field.
	kept := out.twice[:0]
	for _, t := range out.twice {
		for f := range fields {
			if fields[f].name == t.field && out.columns[taken[f]-1].header == t.first {
				kept = append(kept, t)
			}
		}
	}
	out.twice = kept
	for f := range fields {
		if taken[f] == 0 {
			if fields[f].needed {
				out.missing = append(out.missing, fields[f].name)
			}
			continue
		}
		c := &out.columns[taken[f]-1]
		if y := fields[f].yields; y != "" {
			for g := range fields {
				if fields[g].name == y && taken[g] > 0 {
					c.spec = nil
				}
			}
		}
		if c.spec != nil {
			out.known++
			c.values = m.values(c.spec.name)
		}
	}
	return out
}

// has says that the row has a column for the field.
func (m *match) has(field string) bool {
	for i := range m.columns {
		if s := m.columns[i].spec; s != nil && s.name == field {
			return true
		}
	}
	return false
}

// hinted gives the kind that a sheet's name speaks of, the longest word
// winning: 抵质押物 before 物.
func hinted(sheet string) Kind {
	var best Kind
	length := 0
	s := strings.ToLower(fold(sheet))
	for _, k := range kinds {
		for _, w := range titles[k] {
			if strings.Contains(s, w) && len(w) > length {
				best, length = k, len(w)
			}
		}
	}
	return best
}

// matchRow finds the kind whose header the row is. Where it is none's, best is
// the one it comes nearest to.
func matchRow(sheet string, row []string, m *Mapping) (found *match, best match) {
	hint := hinted(sheet)
	var asLoan match
	for _, k := range kinds {
		r := matchHeader(k, row, m)
		if k == KindLoan {
			asLoan = r
		}
		if r.known > best.known || (r.known == best.known && r.known > 0 && k == hint) {
			best = r
		}
		if len(r.missing) > 0 || !plausible(r, asLoan, hint) {
			continue
		}
		if found == nil || k == hint || (found.kind != hint && r.known > found.known) {
			found = &r
		}
	}
	if found == nil && asLoan.known > 0 && loanish(asLoan) {
		best = asLoan
	}
	return found, best
}

// loanish says that a row was meant as the header of loans, whether or not all
// that is needed is there.
func loanish(asLoan match) bool {
	n := 0
	for _, f := range []string{"余额", "发放日", "到期日", "发放金额"} {
		if asLoan.has(f) {
			n++
		}
	}
	return asLoan.has("借据号") && n >= 1 || n >= 2
}

// plausible keeps the kinds that need little from swallowing the sheets of
// others: a loan sheet that lacks its balance is no customer sheet, one with
// every column stays one whatever its sheet is called, and a summary by branch
// is no branch sheet.
func plausible(r, asLoan match, hint Kind) bool {
	switch r.kind {
	case KindLoan, KindEvent:
		return true
	case KindCollateral:
		return r.kind == hint || len(asLoan.missing) > 0
	case KindGuarantor:
		return len(asLoan.missing) > 0 && (r.kind == hint || !loanish(asLoan))
	}
	if asLoan.has("借据号") || loanish(asLoan) {
		return false
	}
	return r.kind == hint || r.known >= 2
}
