package scheduler_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/storetest"
)

// A ledger file of any text is taken whole or changes nothing: not a fact, not
// a duty, not a record. One that was taken changes nothing the second time.
func FuzzImport(f *testing.F) {
	f.Add([]byte(friday))
	f.Add([]byte(header + "JJ1,C1,甲公司,B01,S001,100000,50000,2025-10-30,2025-10-29,正常,常规,,按季,0,2026-11-20\n"))
	f.Add([]byte("工号,姓名,机构,岗位\nS001,甲,B01,客户经理\n"))
	f.Add([]byte("机构号,机构名称,上级机构\nB01,一,B02\nB02,二,B01\n"))
	f.Add([]byte("事件,对象,日期\nworklog.submitted,loan/JJ1,2026-11-20\n"))
	memory := storetest.NewMemory()
	if err := scheduler.Init(bg, store.New(memory), scheduler.InitOptions{GoLive: date("2026-11-01"), Now: at("2026-11-20")}); err != nil {
		f.Fatal(err)
	}
	open := func(t testing.TB, m *storetest.Memory) *scheduler.Scheduler {
		s, err := scheduler.New(scheduler.Config{Store: store.New(m), Clock: wall(func() time.Time { return at("2026-11-20") })})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if _, err := open(f, memory).Import(bg, clerk, api.ImportRequest{Name: "a.csv"}, []byte(friday)); err != nil {
		f.Fatal(err)
	}
	dump := func(t *testing.T, m *storetest.Memory) string {
		var out bytes.Buffer
		err := m.View(bg, func(r store.Reader) error {
			for _, b := range store.Buckets {
				err := r.Scan(b, nil, nil, func(k, v []byte) error { fmt.Fprintf(&out, "%s %x %x\n", b, k, v); return nil })
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.HasPrefix(text, []byte("PK")) {
			return
		}
		m := memory.Clone()
		s := open(t, m)
		before := dump(t, m)
		_, err := s.Import(bg, clerk, api.ImportRequest{Name: "a.csv", AllowGone: true}, text)
		after := dump(t, m)
		if err != nil {
			if after != before {
				t.Fatalf("refused with %v, and something was written", err)
			}
			return
		}
		if _, err := store.New(m).VerifyAudit(bg); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Import(bg, clerk, api.ImportRequest{Name: "a.csv", AllowGone: true}, text); err != nil || !r.Same || dump(t, m) != after {
			t.Fatalf("the second time: %+v, %v", r, err)
		}
	})
}
