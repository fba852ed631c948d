package scheduler

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/store"
	"tickler/store/bolt"
)

// benchLedger is the ledger of a day: n loans of twenty columns, 1.3 a
// borrower, of which one in moved shows a repayment from the second day on.
func benchLedger(n, moved int, day calendar.Date, second bool) []byte {
	var b strings.Builder
	b.WriteString("借据号,合同号,客户号,客户名称,机构,客户经理,产品,币种,发放金额,余额,发放日,到期日,五级分类,管理方式,担保方式,利率,结息方式,欠息,状态,数据日期\n")
	r := rand.New(rand.NewPCG(6, 2))
	for i := range n {
		borrower := r.IntN(n*10/13 + 1)
		branch := borrower % 600
		balance := 1_000_000 + i
		if second && moved > 0 && i%moved == 0 {
			balance = 900_000
		}
		fmt.Fprintf(&b, "JJ%09d,HT%09d,C%09d,第%d号有限公司,B%03d,S%03d%02d,流动资金贷款,CNY,5000000.00,%d.00,%s,2027-12-%02d,正常,常规,抵押,4.35,按季,0.00,正常,%s\n",
			i, i, borrower, borrower, branch, branch, borrower%40, balance, calendar.MustDate(2024, 1, 1).AddDays(r.IntN(900)), 1+r.IntN(28), day)
	}
	return []byte(b.String())
}

type benchClock struct{ now time.Time }

func (c benchClock) Now() time.Time         { return c.now }
func (c benchClock) Elapsed() time.Duration { return 0 }

// importing times the import of the second day's file over that of the first,
// with planning left out.
func importing(b *testing.B, moved int) {
	const n = 100_000
	ctx, first := context.Background(), calendar.MustDate(2026, 11, 23)
	one, two := benchLedger(n, moved, first, false), benchLedger(n, moved, first+1, true)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		path := filepath.Join(b.TempDir(), "tickler.db")
		if err := bolt.Create(path); err != nil {
			b.Fatal(err)
		}
		backend, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			b.Fatal(err)
		}
		st := store.New(backend)
		now := time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)
		if err := Init(ctx, st, InitOptions{GoLive: first, Now: now}); err != nil {
			b.Fatal(err)
		}
		s, err := New(Config{Store: st, Clock: benchClock{now}})
		if err != nil {
			b.Fatal(err)
		}
		s.elsewhere = func(loan.Ref) bool { return true }
		take := func(data []byte) *api.ImportReply {
			r, err := s.Import(ctx, Actor{OSUser: "ops", Owner: true}, api.ImportRequest{Name: "a.csv"}, data)
			if err != nil {
				b.Fatal(err)
			}
			return r
		}
		if moved < 0 {
			b.StartTimer()
			take(one)
		} else {
			take(one)
			b.StartTimer()
			if r := take(two); moved > 0 && r.Changed != n/moved || moved == 0 && r.Unchanged != n {
				b.Fatalf("%+v", r)
			}
		}
		b.StopTimer()
		if err := st.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkImportFirst(b *testing.B)      { importing(b, -1) }
func BenchmarkImportUnchanged(b *testing.B)  { importing(b, 0) }
func BenchmarkImportOnePercent(b *testing.B) { importing(b, 100) }
