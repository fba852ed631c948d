package ledger

import (
	"strings"

	"tickler/loan"
)

// words are what the cells of a closed field may say.
type words[T any] struct {
	byWord map[string]T // squeezed, width folded, in small letters
	want   Text
}

var classes = closed("正常、关注、次级、可疑、损失，或 1 至 5、FQ01 至 FQ05", "正常, 关注, 次级, 可疑, 损失, 1 to 5, or FQ01 to FQ05", map[string]loan.Class{
	"正常 正常类 1 fq01": loan.Normal,
	"关注 关注类 2 fq02": loan.SpecialMention,
	"次级 次级类 3 fq03": loan.Substandard,
	"可疑 可疑类 4 fq04": loan.Doubtful,
	"损失 损失类 5 fq05": loan.Loss,
})

var modes = closed("常规、重点", "常规 or 重点", map[string]loan.Mode{
	"常规 常规管理": loan.Regular,
	"重点 重点管理": loan.Key,
})

var settlements = closed("按月、按季、按半年、按年、利随本清", "按月, 按季, 按半年, 按年 or 利随本清", map[string]loan.Settlement{
	"按月 月 月结 每月 按月结息 按月付息 按月计息 按月付息到期还本 按月付息,到期还本":                       loan.SettleMonthly,
	"按季 季 季结 每季 季度 按季度 按季结息 按季付息 按季计息 按季度结息 按季付息到期还本 按季付息,到期还本":          loan.SettleQuarterly,
	"按半年 半年 半年结 每半年 按半年结息 按半年付息 按半年计息 按半年付息到期还本 按半年付息,到期还本":              loan.SettleHalfYearly,
	"按年 年 年结 每年 按年结息 按年付息 按年计息 按年付息到期还本 按年付息,到期还本":                       loan.SettleYearly,
	"利随本清 到期一次还本付息 到期一次性还本付息 一次性还本付息 一次还本付息 到期还本付息 到期结息 到期付息 到期一次性结息 到期": loan.SettleAtMaturity,
})

var origins = closed("新发放、借新还旧、重组、展期", "新发放, 借新还旧, 重组 or 展期", map[string]loan.Origin{
	"新发放 新增 新放 新发": loan.OriginNew,
	"借新还旧":         loan.OriginRefinanced,
	"重组 贷款重组":      loan.OriginRestructured,
	"展期":           loan.OriginExtended,
})

var roles = closed("牵头行、参与行", "牵头行 or 参与行", map[string]string{
	"牵头行 牵头": "lead",
	"参与行 参与": "member",
})

// closedFields says which words a field's values may be mapped to.
var closedFields = map[string]func(string) (ok bool, want Text){
	"五级分类": classes.holds,
	"管理方式": modes.holds,
	"结息方式": settlements.holds,
	"发放类型": origins.holds,
	"角色":   roles.holds,
}

func closed[T any](zh, en string, of map[string]T) *words[T] {
	w := &words[T]{byWord: map[string]T{}, want: Text{"要" + zh, "want " + en}}
	for list, v := range of {
		for _, s := range strings.Fields(list) {
			w.byWord[s] = v
		}
	}
	return w
}

func (w *words[T]) holds(s string) (bool, Text) {
	_, ok := w.look(s)
	return ok, w.want
}

// look finds a word; a number may come as a workbook gives it, 1.0.
func (w *words[T]) look(s string) (T, bool) {
	v, ok := w.byWord[s]
	if !ok {
		v, ok = w.byWord[strings.TrimSuffix(strings.ToLower(squeeze(fold(s))), ".0")]
	}
	return v, ok
}

// pick reads the cell of a closed field.
func pick[T any](r *reader, b []byte, w *words[T]) T {
	v, ok := w.look(r.word(b))
	if !ok {
		r.bad(b, w.want, Text{"若是本行的写法，在映射文件 values 中写明 " + r.cur.spec.name + " 的对应", "if it is this bank's word, give it under values: " + r.cur.spec.name + " in the mapping file"})
	}
	return v
}
