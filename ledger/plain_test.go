package ledger

import (
	"archive/zip"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

const sheetPart, stringsPart = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"

// blankBook is a workbook of one sheet and a few shared strings.
func blankBook(t *testing.T) []byte {
	t.Helper()
	f := excelize.NewFile()
	if err := f.SetCellValue("Sheet1", "A1", "甲"); err != nil {
		t.Fatal(err)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// told is what a source gives of a sheet: cells with a text, by place.
func told(src bookSource, odd func(row int) map[cellAt]oddity) (map[cellAt]string, map[cellAt]oddity, error) {
	cells, odds := map[cellAt]string{}, map[cellAt]oddity{}
	for {
		texts, row, _, ok := src.next()
		if !ok {
			return cells, odds, src.fault()
		}
		for i, b := range texts {
			if len(b) > 0 {
				cells[cellAt{row, i}] = string(b)
			}
		}
		for at, o := range odd(row) {
			if at.row == row {
				odds[at] = o
			}
		}
	}
}

// bothWays reads the sheet as excelize and encoding/xml do, and the quick way
// where it is plain.
func bothWays(t rapid.TB, data []byte) (plain bool) {
	w, err := openWorkbook(data)
	if err != nil {
		return false
	}
	defer w.Close()
	part := w.parts["Sheet1"]
	shared, ok := w.plain()
	if !ok || !isPlain(part, shared) {
		return false
	}
	look := inspect(part)
	src, err := w.source("Sheet1")
	if err != nil {
		t.Fatalf("plain, but excelize says %v", err)
	}
	cells, odds, err := told(src, func(row int) map[cellAt]oddity { look.reach(row); return maps.Clone(look.odd) })
	src.close()
	if _, fault := look.finish(); err != nil || fault != nil {
		t.Fatalf("plain, but %v, %v", err, fault)
	}
	if w.sst != nil {
		if err := wellFormed(w.sst); err != nil {
			t.Fatalf("plain strings, but %v", err)
		}
	}
	mine := seenWhole()
	quick, err := openPlain(part, shared, mine.odd)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer quick.close()
	got, gotOdd, err := told(quick, func(int) map[cellAt]oddity { return mine.odd })
	if err != nil || !maps.Equal(got, cells) || !maps.Equal(gotOdd, odds) {
		t.Fatalf("%v\ngot  %v %v\nwant %v %v", err, got, gotOdd, cells, odds)
	}
	return true
}

// A plain sheet says what excelize and encoding/xml read of it: cells of every
// kind in any order, with what is odd about them. What is drawn here is always
// plain, but for what mars it: so neither half of the test is empty.
func TestPlainSheetsReadAsExcelize(t *testing.T) {
	blank := blankBook(t)
	texts := []string{"", "甲", "a &amp; b &lt;c&gt; &quot;d&apos;", " 两端 ", "x\ny", "12", "12.0", "0.1", "320000000000000000", "1.2E+17", "-5", "2", "0", "&#20511;&#x636e;", "&#x1F600;&#10;"}
	mars := []string{"", "<!-- x -->", "<![CDATA[1]]>", "&#13;", "&#xD800;", "&#0;", "&#x110000;", "&#;", "&#x;", "&#+65;", "&#xFFFF;", "&nope;", "\r", "_x000D_", "]]>", "\x01", "<x:v>1</x:v>", "\xff", "<v>1</v>", "</c>", "<t>1</t>", "'", ">", "\uFFFE"}
	plains, marred := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		mar := rapid.SampledFrom(mars).Draw(t, "mar")
		where := rapid.IntRange(0, 6).Draw(t, "where")
		n := 0
		// in gives the flaw at its place.
		in := func() string {
			if n++; n == where {
				return mar
			}
			return ""
		}
		var b, sst strings.Builder
		b.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1"/><sheetData>`)
		row := 0
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			row += rapid.IntRange(1, 3).Draw(t, "skip")
			if rapid.IntRange(0, 5).Draw(t, "alone") == 0 {
				fmt.Fprintf(&b, `<row r="%d" spans="1:2"/>`, row)
				continue
			}
			fmt.Fprintf(&b, "<row r=\"%d\" ht=\"15\">\n", row)
			col := 0
			for range rapid.IntRange(0, 5).Draw(t, "cells") {
				col += rapid.IntRange(1, 20).Draw(t, "gap")
				name, _ := excelize.ColumnNumberToName(col)
				text := rapid.SampledFrom(texts).Draw(t, "text")
				formula := rapid.SampledFrom([]string{"", "<f>A1&amp;\"x\"</f>", "<f t=\"shared\" si=\"0\"/>"}).Draw(t, "formula")
				fmt.Fprintf(&b, `<c r="%s%d" s="0"`, name, row)
				switch rapid.IntRange(0, 5).Draw(t, "kind") {
				case 0:
					b.WriteString("/>")
				case 1:
					fmt.Fprintf(&b, `>%s<v>%s%s</v></c>`, formula, text, in())
				case 2:
					fmt.Fprintf(&b, ` t="n">%s%s</c>`, formula, in())
				case 3:
					fmt.Fprintf(&b, ` t="str">%s<v>%s%s</v></c>`, formula, text, in())
				case 4:
					fmt.Fprintf(&b, ` t="inlineStr"><is><t xml:space="preserve">%s%s</t></is></c>`, text, in())
				case 5:
					fmt.Fprintf(&b, ` t="s"><v>%d</v>%s</c>`, rapid.IntRange(0, 3).Draw(t, "shared"), in())
				}
			}
			b.WriteString("</row>" + in())
		}
		b.WriteString(`</sheetData><pageMargins left="0.7" right="0.7"/></worksheet>`)
		sst.WriteString(`<?xml version="1.0" encoding="UTF-8"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="4">`)
		for i := range 4 {
			text := rapid.SampledFrom(texts).Draw(t, "string")
			if i%2 == 0 {
				sst.WriteString("<si><t>" + text + in() + "</t></si>")
			} else {
				sst.WriteString("<si><r><rPr><b/><sz val=\"11\"/></rPr><t>" + text + "</t></r><r><t xml:space=\"preserve\"> b</t></r></si>")
			}
		}
		sst.WriteString("</sst>")
		data := replaced(blank, map[string]string{sheetPart: b.String(), stringsPart: sst.String()})
		plain := bothWays(t, data)
		if whole := where == 0 || n < where || mar == ""; whole && !plain {
			t.Fatalf("not taken for plain:\n%s\n%s", b.String(), sst.String())
		} else if whole {
			plains++
		} else if !plain {
			marred++
		}
	})
	if plains == 0 || marred == 0 {
		t.Fatalf("%d plain sheets, %d that are not: nothing was shown", plains, marred)
	}
}

// Whatever a part holds, either way of reading says the same.
func FuzzPlainSheet(f *testing.F) {
	f.Add(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"><v>1</v></c><c r="B1" t="s"><v>0</v></c></row></sheetData></worksheet>`, `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>甲</t></si></sst>`)
	f.Add(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="2"><c r="C2" t="inlineStr"><is><t>a&amp;b</t></is></c></row></sheetData></worksheet>`, `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>`)
	x := excelize.NewFile()
	x.SetCellValue("Sheet1", "A1", "甲")
	buf, err := x.WriteToBuffer()
	if err != nil {
		f.Fatal(err)
	}
	blank := buf.Bytes()
	f.Fuzz(func(t *testing.T, sheet, shared string) {
		bothWays(t, replaced(blank, map[string]string{sheetPart: sheet, stringsPart: shared}))
	})
}

// replaced is a workbook with other parts.
func replaced(data []byte, parts map[string]string) []byte {
	z, err := zip.NewReader(strings.NewReader(string(data)), int64(len(data)))
	if err != nil {
		panic(err)
	}
	var out strings.Builder
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		text, ok := parts[f.Name]
		if !ok {
			if err := w.Copy(f); err != nil {
				panic(err)
			}
			continue
		}
		p, err := w.Create(f.Name)
		if err != nil {
			panic(err)
		}
		p.Write([]byte(text))
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return []byte(out.String())
}
