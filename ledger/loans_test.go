package ledger

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tickler/loan"
)

// fill sets every field of a value, whatever fields it comes to have, to
// something that is not its zero.
func fill(t *rapid.T, v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.SampledFrom([]string{"a", "甲公司", strings.Repeat("长", 200), "B01", "\x00"}).Draw(t, name))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64Range(1, 1<<50).Draw(t, name) * int64(1-2*rapid.IntRange(0, 1).Draw(t, name)))
	case reflect.Int32:
		v.SetInt(int64(rapid.Int32Range(1, 1<<22).Draw(t, name)))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), name+"."+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rapid.IntRange(1, 3).Draw(t, name), 3))
		for i := range v.Len() {
			fill(t, v.Index(i), name)
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{rapid.StringN(0, 5, -1).Draw(t, name): "1", "管理方式": loan.Assumed}))
	default:
		t.Fatalf("loan.Loan has a %s at %s, which Loans does not pack", v.Kind(), name)
	}
}

// What is packed comes back whole: every field, in any mixture of full and
// empty rows, over many chunks.
func TestPackedLoansComeBackWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []loan.Loan
		var got Loans
		for range rapid.IntRange(1, 8).Draw(t, "rows") {
			var l loan.Loan
			v := reflect.ValueOf(&l).Elem()
			all := rapid.Bool().Draw(t, "all")
			for i := range v.NumField() {
				if all || rapid.Bool().Draw(t, "set") {
					fill(t, v.Field(i), v.Type().Field(i).Name)
				}
			}
			if rapid.IntRange(0, 5).Draw(t, "long") == 0 {
				l.Guarantors = []string{strings.Repeat("x", loanChunk)}
			}
			want = append(want, l)
			got.Append(&l)
		}
		got.seal()
		if all := got.All(); !reflect.DeepEqual(all, want) {
			t.Fatalf("got  %+v\nwant %+v", all, want)
		}
		for i := range want {
			if got.ID(i) != want[i].ID || got.Borrower(i) != want[i].Borrower || got.Branch(i) != want[i].Branch {
				t.Fatalf("row %d: %s %s %s", i, got.ID(i), got.Borrower(i), got.Branch(i))
			}
		}
	})
}

// Ids are told apart as a map tells them, with the place of the first.
func TestSeenIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s seen
		want := map[string]at{}
		for i := range rapid.IntRange(0, 3000).Draw(t, "ids") {
			id := rapid.StringMatching(`[a-c]{0,7}`).Draw(t, "id")
			here := at{[]string{"", "甲", "乙"}[i/1000], i}
			first, twice := s.put(id, here)
			was, known := want[id]
			if twice != known || first != was {
				t.Fatalf("%q: %v %v, want %v %v", id, first, twice, was, known)
			}
			if !known {
				want[id] = here
			}
		}
	})
}
