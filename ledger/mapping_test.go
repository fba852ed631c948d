package ledger

import (
	"reflect"
	"testing"

	"tickler/calendar"
)

func TestMapping(t *testing.T) {
	m, err := ParseMapping("m.yaml", []byte("\uFEFFcolumns:\n  我行借据码: 借据号\n  期限月数: 期限\n  备注: x\nignore: [机构名称]\nvalues:\n  五级分类: {A: 正常}\n  管理方式: {特别: 重点}\nunit: 万元\ndata_date: 2026-11-23\n"))
	want := &Mapping{
		Columns:  map[string]string{"我行借据码": "借据号", "期限月数": "期限(月)", "备注": X},
		Ignore:   []string{"机构名称"},
		Values:   map[string]map[string]string{"五级分类": {"A": "正常"}, "管理方式": {"特别": "重点"}},
		Unit:     "万元",
		DataDate: calendar.MustDate(2026, 11, 23),
	}
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, %v", m, err)
	}
	if m, err := ParseMapping("m.yaml", nil); err != nil || !reflect.DeepEqual(m, &Mapping{}) {
		t.Errorf("an empty mapping: got %+v, %v", m, err)
	}
}

func TestMappingMistakesComeAllAtOnceWithTheirPlace(t *testing.T) {
	for text, want := range map[string]string{
		"colums: {}\ncolumns: {a: 借据好}\nvalues: {五级分类: {A: 正长}}\nunit: 元角\ndata_date: 2026-02-30\n": `m.yaml:1:1: unknown key "colums"; did you mean "columns"?
m.yaml:2:14: column "a": unknown field "借据好"; did you mean "借据号"?
m.yaml:3:20: 五级分类: "A" cannot be read as "正长": want 正常, 关注, 次级, 可疑, 损失, 1 to 5, or FQ01 to FQ05
m.yaml:4:7: unit "元角": want 元, 千元, 万元, 百万元 or 亿元
m.yaml:5:12: data_date: date "2026-02-30": no such day`,
		"unit: 元\nunit: 元\n":       `m.yaml:2:1: "unit" is here twice, first in line 1`,
		"columns: &a {x: 借据号}\n":   `m.yaml:1:10: want plain values, no anchors (&) or aliases (*)`,
		"unit: !!str 元\n":          `m.yaml:1:7: want plain values, no tags (!!str)`,
		"unit: 元\n---\nunit: 万元\n": `m.yaml:2:1: want one document, here is a second`,
		"ignore: 机构\n":             `m.yaml:1:9: want a list of headers`,
		"- a\n":                    `m.yaml:1:1: want keys columns, ignore, values, unit, data_date`,
		"columns: {a: 借据号\n":       `m.yaml:1: did not find expected ',' or '}'`,
		"unit: \xCD\xF2\xD4\xAA\n": `m.yaml: want a mapping in UTF-8; hint: save it as UTF-8 (另存为 UTF-8)`,
	} {
		_, err := ParseMapping("m.yaml", []byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("%q: got\n%v\nwant\n%s", text, err, want)
		}
	}
}
