package ledger

import (
	"bytes"
	"slices"
	"strings"
	"unicode"

	"tickler/calendar"
	"tickler/loan"
)

// at is where a row stands.
type at struct {
	sheet string
	row   int
}

// file is one file while it is read.
type file struct {
	name     string
	opt      Options
	decode   decoder
	gb       bool // decode reads GB18030
	book     bool // a workbook, not a CSV
	date1904 bool
	interned map[string]string   // bytes of a cell -> its text, for words that come again and again
	lists    map[string][]string // the same for lists of names; rows share them

	out  *Snapshot
	errs Errors

	seen     map[Kind]*seen // of loans, customers, branches, staff, events with an id
	merged   map[Kind]map[string]int
	mergedAt map[Kind]map[string]at
	made     map[string]int // id made for an event -> how often
	dataDate calendar.Date
	dataAt   at
}

// reader reads the rows of one sheet.
type reader struct {
	f      *file
	sheet  string
	m      *match
	row    int
	index  int         // of the column being read
	cur    *column     // the column being read
	look   *inspection // of the sheet's XML; nil in a CSV
	keyAt  int         // column of the first needed field
	needed int         // fields that the kind needs
	dayAt  int         // column of 发放日, -1 for other kinds

	// The row being filled; only the one of the sheet's kind is used.
	loan       loan.Loan
	borrower   loan.Borrower
	guarantor  loan.Guarantor
	collateral loan.Collateral
	group      loan.Group
	member     loan.GroupMember
	branch     loan.Branch
	staff      loan.Staff
	event      loan.Event
	x          map[string]string

	hasBalance  bool
	hasExposure bool
	putOff      calendar.Date // 展期到期日
	nextPay     calendar.Date // 下次付息日
	settled     bool          // 结息日 is given
	term        int           // 期限(月)

	rows, noMode, noClass, noMaturity, noBalance, earlier, longIDs, zeroIDs int
}

func (f *file) reader(sheet string, m *match) *reader {
	r := &reader{f: f, sheet: sheet, m: m, keyAt: -1, dayAt: -1}
	for i := range m.columns {
		s := m.columns[i].spec
		if s == nil {
			continue
		}
		if s.needed {
			r.needed++
		}
		if s.needed && (r.keyAt < 0 || s.name == specs[m.kind][0].name) {
			r.keyAt = i
		}
		if m.kind == KindLoan && s.name == "发放日" {
			r.dayAt = i
		}
	}
	return r
}

// take reads one row of data.
func (r *reader) take(cells [][]byte, row int) {
	r.row = row
	if r.look != nil {
		r.look.reach(row)
	}
	filled, single := 0, 0
	for i, b := range cells {
		if len(b) > 0 && !r.f.isBlank(b) {
			filled++
			single = i
		}
	}
	if filled == 0 || r.isTotal(cells) || r.isHeader(cells) {
		return
	}
	if !r.f.book && len(cells) != len(r.m.columns) {
		r.f.errs.add(Problem{File: r.f.name, Sheet: r.sheet, Row: row,
			Want: Text{"要 " + itoa(len(r.m.columns)) + " 个单元格，与表头相同，该行有 " + itoa(len(cells)) + " 个", "want " + itoa(len(r.m.columns)) + " cells as in the header, this row has " + itoa(len(cells))},
			Hint: Text{"单元格里的逗号要用引号包住", "a cell with a comma in it needs quotes"}})
		return
	}
	if filled == 1 && (single != r.keyAt || r.needed > 1) {
		r.f.errs.add(Problem{File: r.f.name, Sheet: r.sheet, Row: row, Column: r.header(single), Cell: r.f.show(cells[single]),
			Want: Text{"要完整的一行数据，该行只有一个单元格有内容", "want a whole row of data, this one has a single cell"},
			Hint: Text{"若是说明文字，删去该行", "delete the row if it is a note"}})
		return
	}

	r.clear()
	before := r.f.errs.Count
	if len(cells) > len(r.m.columns) {
		cells = cells[:len(r.m.columns)]
	}
	for i, b := range cells {
		c := &r.m.columns[i]
		if c.spec == nil && (c.drop || c.header == "") {
			continue
		}
		r.cur, r.index = c, i
		b = trimASCII(b)
		if r.look != nil && c.spec != nil && r.isOdd(b) {
			continue
		}
		if len(b) == 0 {
			continue
		}
		if c.spec == nil {
			if s := r.word(b); s != "" {
				if r.x == nil {
					r.x = map[string]string{}
				}
				r.x[c.key()] = s
			}
			continue
		}
		if !ascii(b) && r.f.isBlank(b) {
			continue
		}
		if c.values != nil {
			if to, ok := c.values[r.word(b)]; ok {
				if b = []byte(to); len(b) == 0 {
					continue
				}
				// Ours, so UTF-8 whatever the file is in.
				dec := r.f.decode
				r.f.decode = utf8Text
				kept := r.f.interned
				r.f.interned, c.lastWord, c.lastDay = map[string]string{}, nil, nil
				c.spec.set(r, b)
				r.f.decode, r.f.interned, c.lastWord, c.lastDay = dec, kept, nil, nil
				continue
			}
		}
		c.spec.set(r, b)
	}
	r.finish(r.f.errs.Count == before)
}

func (r *reader) clear() {
	switch r.m.kind {
	case KindLoan:
		r.loan = loan.Loan{}
		r.hasBalance, r.settled = false, false
		r.putOff, r.nextPay, r.term = 0, 0, 0
	case KindBorrower:
		r.borrower = loan.Borrower{}
		r.hasExposure = false
	case KindGuarantor:
		r.guarantor = loan.Guarantor{}
	case KindCollateral:
		r.collateral = loan.Collateral{}
	case KindGroup:
		r.group, r.member = loan.Group{}, loan.GroupMember{}
	case KindBranch:
		r.branch = loan.Branch{}
	case KindStaff:
		r.staff = loan.Staff{}
	case KindEvent:
		r.event = loan.Event{}
	}
	r.x = nil
}

// isTotal says that the row sums up others: its key is empty or a word like
// 合计, one of its first cells is such a word, and it has no day of its own.
func (r *reader) isTotal(cells [][]byte) bool {
	if r.dayAt >= 0 && r.dayAt < len(cells) && !r.f.isBlank(cells[r.dayAt]) {
		return false
	}
	if r.keyAt < len(cells) && !r.f.isBlank(cells[r.keyAt]) {
		return r.f.isSum(cells[r.keyAt])
	}
	for i := 0; i < len(cells) && i < max(8, r.keyAt+1); i++ {
		if r.f.isSum(cells[i]) {
			return true
		}
	}
	return false
}

// isSum says that a cell is 合计, 小计：12笔, 某支行小计 or the like.
func (f *file) isSum(b []byte) bool {
	if len(b) < 4 || len(b) > 120 || ascii(b) {
		return false
	}
	s, _ := f.decode(b)
	s = strings.Map(func(r rune) rune {
		if blank(r) || strings.ContainsRune("0123456789.,:()-共笔户元万", r) {
			return -1
		}
		return r
	}, fold(s))
	for _, w := range []string{"合计", "小计", "总计"} {
		if strings.HasSuffix(s, w) {
			return true
		}
	}
	return s == "累计" || s == "共计"
}

// isHeader says that the row is the header once more, as on the next page of
// a print.
func (r *reader) isHeader(cells [][]byte) bool {
	same := 0
	for i, b := range cells {
		if i >= len(r.m.columns) || r.m.columns[i].spec == nil {
			continue
		}
		if len(b) == 0 || b[0] < 0x80 && r.m.columns[i].header[0] != b[0] {
			return false
		}
		s, ok := r.f.decode(b)
		if !ok || trim(s) != r.m.columns[i].header {
			return false
		}
		same++
	}
	return same > 1
}

// isBlank says that a cell shows nothing. Most cells tell by their first byte.
func (f *file) isBlank(b []byte) bool {
	if b = trimASCII(b); len(b) == 0 {
		return true
	}
	switch c := b[0]; {
	case c < 0x80:
		return false
	case f.gb && len(b) > 1 && (c != 0xA1 || b[1] != 0xA1) && (b[1] < '0' || b[1] > '9'):
		return false // neither U+3000 nor four bytes
	case !f.gb && c != 0xC2 && (c < 0xE1 || c > 0xE3) && c != 0xEF:
		return false
	}
	s, ok := f.decode(b)
	return ok && trim(s) == ""
}

// show gives a cell's text for a message.
func (f *file) show(b []byte) string {
	s, _ := f.decode(trimASCII(b))
	return clip(trim(s))
}

func (r *reader) header(i int) string {
	if i < len(r.m.columns) {
		return r.m.columns[i].header
	}
	return ""
}

// bad records a mistake in the cell being read.
func (r *reader) bad(b []byte, want, hint Text) {
	r.f.errs.add(Problem{File: r.f.name, Sheet: r.sheet, Row: r.row, Column: r.cur.header, Cell: r.f.show(b), Want: want, Hint: hint})
}

// badField records a mistake in the row's cell of the field, shown as the text.
func (r *reader) badField(field, cell string, want, hint Text) {
	header := field
	for i := range r.m.columns {
		if s := r.m.columns[i].spec; s != nil && s.name == field {
			header = r.m.columns[i].header
		}
	}
	r.f.errs.add(Problem{File: r.f.name, Sheet: r.sheet, Row: r.row, Column: header, Cell: cell, Want: want, Hint: hint})
}

// key is the header under which an unknown column is kept.
func (c *column) key() string {
	if strings.ContainsAny(c.header, "\r\n") {
		return strings.NewReplacer("\r", "", "\n", "").Replace(c.header)
	}
	return c.header
}

// maxInterned bounds the table of words that come again and again.
const maxInterned = 1 << 16

// raw is the cell's text, trimmed.
func (r *reader) raw(b []byte) string {
	s, ok := r.f.decode(b)
	if !ok {
		r.bad(b, Text{"要完好的 UTF-8 或 GB18030 文本，该单元格有损坏的字", "want sound UTF-8 or GB18030 text, a character of this cell is broken"},
			Text{"从系统重新导出", "export the file again"})
		return ""
	}
	return trim(s)
}

// maxID bounds an id, or a name that may have to serve as one: it becomes part
// of the store's keys.
const maxID = 512

func (r *reader) short(b []byte, s string) {
	if len(s) > maxID {
		r.bad(b, Text{"太长，最多 512 字节", "want at most 512 bytes"}, Text{"改正该单元格", "correct the cell"})
	}
}

// text is a text that is rarely the same in two rows.
func (r *reader) text(b []byte) string {
	s := printable(r.raw(b))
	r.short(b, s)
	return s
}

// printable drops the control characters, with which a name could write
// elsewhere on a terminal, but for the line breaks of a wrapped cell.
func printable(s string) string {
	odd := func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\r' && c != '\t' }
	if !strings.ContainsFunc(s, odd) {
		return s
	}
	return strings.Map(func(c rune) rune {
		if odd(c) {
			return -1
		}
		return c
	}, s)
}

// list is a list of names; rows with the same one share it.
func (r *reader) list(b []byte) []string {
	s := r.word(b)
	l, ok := r.f.lists[s]
	if !ok {
		l = slices.Clip(names(printable(s)))
		for _, n := range l {
			r.short(b, n)
		}
		if len(r.f.lists) < maxInterned {
			r.f.lists[s] = l
		}
	}
	return l
}

// word is a text that many rows share.
func (r *reader) word(b []byte) string {
	c := r.cur
	if len(b) > 0 && bytes.Equal(b, c.lastWord) {
		return c.word
	}
	if s, ok := r.f.interned[string(b)]; ok {
		c.lastWord, c.word = append(c.lastWord[:0], b...), s
		return s
	}
	n := r.f.errs.Count
	s := r.raw(b)
	if len(r.f.interned) < maxInterned && len(b) <= 64 && r.f.errs.Count == n {
		r.f.interned[string(b)] = s
	}
	return s
}

var lostHint = Text{"把该列设为文本格式，重新导出原始号码", "make the column text and export the numbers again"}

// id is the bank's own identifier; a number that Excel made of it has lost its
// last digits.
func (r *reader) id(b []byte) string {
	s := r.raw(b)
	r.checkID(b, s)
	return s
}

// code is an identifier that many rows share.
func (r *reader) code(b []byte) string {
	s := r.word(b)
	r.checkID(b, s)
	return s
}

func (r *reader) checkID(b []byte, s string) {
	if len(s) <= maxID && plainID(s) {
		return
	}
	if lostDigits(s) {
		r.bad(b, Text{"要完整的号码，精度已丢失", "want the whole number, its last digits are lost (精度已丢失)"}, lostHint)
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		r.bad(b, Text{"号码里有换行或控制字符", "want an id without line breaks and control characters"}, Text{"改正该单元格", "correct the cell"})
	}
	r.short(b, s)
}

// plainID says of most ids at a glance that nothing is wrong with them.
func plainID(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '+' {
			return false
		}
	}
	return true
}

func (r *reader) ids(b []byte) []string {
	out := names(r.raw(b))
	for _, s := range out {
		r.checkID(b, s)
	}
	return out
}

func (r *reader) date(b []byte) calendar.Date {
	if len(b) > 0 && bytes.Equal(b, r.cur.lastDay) {
		return r.cur.day
	}
	text := b
	if !ascii(b) {
		text = []byte(r.raw(b))
		if len(text) == 0 {
			return 0
		}
	}
	d, want := parseDate(text, r.f.date1904)
	if want != nil {
		r.badText(string(text), *want)
		return d
	}
	r.cur.lastDay, r.cur.day = append(r.cur.lastDay[:0], b...), d
	return d
}

func (r *reader) badText(cell string, want Text) {
	hint := Text{"改正该单元格", "correct the cell"}
	r.f.errs.add(Problem{File: r.f.name, Sheet: r.sheet, Row: r.row, Column: r.cur.header, Cell: clip(cell), Want: want, Hint: hint})
}

func (r *reader) money(b []byte) loan.Fen {
	if !ascii(b) {
		b = []byte(r.raw(b))
		if len(b) == 0 {
			return 0
		}
	}
	form := r.cur.form
	form.raw = r.f.book
	fen, rounded, want := parseAmount(b, form)
	if want == nil && fen < 0 {
		want = &wantPos
	}
	if want != nil {
		r.badText(string(b), *want)
		return 0
	}
	if rounded {
		r.cur.lax++
	}
	return fen
}

// rate is kept as the bank writes it, without the noise of a binary number.
func (r *reader) rate(b []byte) string {
	s := r.word(b)
	if r.f.book && len(s) > 16 {
		if t, ok := fifteen(s); ok {
			return t
		}
	}
	return s
}

func (r *reader) months(b []byte) int {
	s := r.word(b)
	n, ok := parseCount(s, "个月", "月")
	if !ok || n > 1200 {
		r.bad(b, Text{"要整月数，如 36", "want a whole number of months, as 36"}, Text{"改正该单元格", "correct the cell"})
		return 0
	}
	return n
}

func (r *reader) times(b []byte) int {
	s := r.word(b)
	switch s {
	case "是", "Y", "y":
		return 1
	case "否", "N", "n", "无", "-":
		return 0
	}
	n, ok := parseCount(s, "次")
	if !ok || n > 99 {
		r.bad(b, Text{"要次数，如 0、1，或 是、否", "want a number of times, as 0 or 1, or 是 or 否"}, Text{"改正该单元格", "correct the cell"})
		return 0
	}
	return n
}

// day reads a day of the month, 20, 20日 or 每月20日; 月末 is 31.
func day(s string) (int, bool) {
	s = squeeze(fold(s))
	for _, p := range []string{"每月", "每季末月", "每季度末月", "每季", "当月"} {
		s = strings.TrimPrefix(s, p)
	}
	switch s {
	case "月末", "月底", "末日":
		return 31, true
	}
	s = strings.TrimSuffix(strings.TrimSuffix(s, "日"), "号")
	n, ok := parseCount(s)
	return n, ok && n >= 1 && n <= 31
}

var wantDayOrDate = Text{"要 1 至 31 的日，或日期", "want a day of the month, 1 to 31, or a date"}

func (r *reader) settleDay(b []byte) {
	s := r.word(b)
	if n, ok := day(s); ok {
		r.loan.Interest.SettleDay, r.settled = n, true
		return
	}
	d, want := parseDate([]byte(s), r.f.date1904)
	switch {
	case want == &wantDate:
		r.badText(s, wantDayOrDate)
	case want != nil:
		r.badText(s, *want)
	case !d.IsZero():
		r.loan.Interest.SettleDay, r.settled = d.Day(), true
	}
}

func (r *reader) payDay(b []byte) {
	s := r.word(b)
	if n, ok := day(s); ok {
		r.loan.Interest.PayDay = n
		return
	}
	d, want := parseDate([]byte(s), r.f.date1904)
	switch {
	case want == &wantDate:
		r.badText(s, wantDayOrDate)
	case want != nil:
		r.badText(s, *want)
	default:
		r.loan.Interest.PayDate = d
	}
}

func (r *reader) feeDates(b []byte) {
	for _, s := range names(r.raw(b)) {
		d, want := parseDate([]byte(s), r.f.date1904)
		if want != nil {
			r.badText(s, *want)
		} else if !d.IsZero() {
			r.loan.FeeDates = append(r.loan.FeeDates, d)
		}
	}
}

func (r *reader) dataDate(b []byte) {
	d := r.date(b)
	if d.IsZero() || !r.f.opt.DataDate.IsZero() {
		return
	}
	if r.f.dataDate.IsZero() {
		r.f.dataDate, r.f.dataAt = d, at{r.sheet, r.row}
	} else if r.f.dataDate != d {
		r.bad(b, Text{"一个文件要同一个数据日期，" + r.f.dataAt.zh() + "是 " + r.f.dataDate.String(), "want one data date in a file, " + r.f.dataAt.en() + " says " + r.f.dataDate.String()},
			Text{"分成几个文件，或用 --data-date 指定", "split the file, or give --data-date"})
	}
}

func (r *reader) eventKind(b []byte) string {
	s := r.word(b)
	kind, verb, ok := strings.Cut(s, ".")
	if !ok || !plainWord(kind) || !plainWord(verb) {
		r.bad(b, Text{"要 KIND.VERB 形式的事件，如 worklog.submitted", "want an event as KIND.VERB, worklog.submitted"},
			Text{"规则手册列出全部事件", "the rulebook lists the events"})
	}
	return s
}

func plainWord(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != ""
}

func (r *reader) subject(b []byte) loan.Ref {
	ref, err := loan.ParseRef(r.raw(b))
	if err != nil {
		r.bad(b, Text{"要 KIND/ID 形式的对象，如 loan/JJ2026001", "want a subject as KIND/ID, loan/JJ2026001"},
			Text{"KIND 是 loan、borrower、guarantor、collateral、group、branch 或 officer", "KIND is loan, borrower, guarantor, collateral, group, branch or officer"})
	}
	r.checkID(b, ref.ID)
	return ref
}

// isOdd sees to a cell of which the workbook says more than its text.
func (r *reader) isOdd(b []byte) bool {
	o, ok := r.look.odd[cellAt{r.row, r.index}]
	if !ok {
		return false
	}
	switch o {
	case oddFormula:
		r.bad(b, Text{"要公式算出的值，文件里没有", "want the value of the formula, the file has none"},
			Text{"在 Excel 中打开、保存后再导入", "open the file in Excel, save it and import it again"})
		return true
	case oddError:
		r.bad(b, Text{"要值，公式出错", "want a value, the formula failed"}, Text{"改正公式或填入值", "correct the formula or fill in the value"})
		return true
	case oddLong:
		if r.cur.spec.isID() {
			r.bad(b, Text{"要完整的号码，数字超过 15 位，精度已丢失", "want the whole number, it has more than 15 digits and the last are lost (精度已丢失)"}, lostHint)
			return true
		}
	case oddZeros:
		if r.cur.spec.isID() {
			c := r.cur
			i := bytes.IndexByte(b, '.')
			c.spec.set(r, b[:i])
			return true
		}
	}
	return false
}
