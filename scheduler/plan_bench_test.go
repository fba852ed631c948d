//go:build unix

package scheduler_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tickler/api"
	"tickler/calendar"
)

// BenchmarkPlan is the life of a plan: made from nothing, made again with
// nothing changed, with one loan in a hundred changed and with one, raised for
// a day, and listed. LOANS sizes it (10000), PROFILE names a directory for a
// CPU profile of each step.
func BenchmarkPlan(b *testing.B) {
	loans, _ := strconv.Atoi(os.Getenv("LOANS"))
	if loans == 0 {
		loans = 10_000
	}
	for b.Loop() {
		br := &branch{t: b, path: filepath.Join(b.TempDir(), "tickler.db")}
		br.cfg.Hold.Least = 1 << 30
		br.create()
		br.goTo("2026-11-23")
		br.open()
		first := province(loans, 0)
		var made int
		cost := step(b, "import", func() {
			r := br.importFile(first)
			made = r.Plan["planned"]
			b.Log("planned, raised:", made, r.Plan["raised"])
		})
		b.ReportMetric(float64(made), "duties")
		b.ReportMetric(cost.Seconds()*1e6/float64(made), "import-us/duty")
		step(b, "tick-first", func() { b.Log(br.tick().Told) })
		step(b, "tick-nothing", func() { br.tick() })
		step(b, "replan-dirty", func() {
			r := br.anew()
			if len(r.Plan) > 0 {
				b.Error(r.Plan)
			}
		})
		step(b, "import-1%", func() { br.importFile(province(loans, loans/100)) })
		step(b, "import-one", func() { br.importFile(province(loans, loans/100+1)) })
		br.goTo("2026-12-20") // the window has moved on by then
		br.tick()
		br.goTo("2026-12-21")
		step(b, "tick-raise", func() { b.Log(br.tick().Plan) })
		n := 0
		list := step(b, "list", func() {
			var r *api.ListReply
			for range 20 {
				var err error
				r, err = br.s.List(context.Background(), api.ListRequest{Branch: "B0001", From: date("2026-12-01"), To: date("2026-12-30")})
				if err != nil {
					b.Fatal(err)
				}
			}
			n = len(r.Obligations)
		})
		b.Log("listed", n, "in", list)
		step(b, "status", func() {
			if _, err := br.s.Status(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
		b.Log("file MiB", br.size()>>20)
		br.st.Close()
	}
}

func (b *branch) size() int64 {
	info, err := os.Stat(b.path)
	if err != nil {
		b.t.Fatal(err)
	}
	return info.Size()
}

// step runs one step and reports its CPU time (user and system), which other
// work on the machine disturbs less than the clock.
func step(b *testing.B, name string, do func()) time.Duration {
	b.Helper()
	runtime.GC()
	if dir := os.Getenv("PROFILE"); dir != "" {
		f, err := os.Create(filepath.Join(dir, name+".cpu"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			b.Fatal(err)
		}
		defer pprof.StopCPUProfile()
	}
	cpu, wall := cpuTime(), time.Now()
	do()
	spent, took := cpuTime()-cpu, time.Since(wall)
	b.ReportMetric(float64(spent.Microseconds())/1000, name+"-cpu-ms")
	b.Logf("%-14s cpu %8.1f ms  wall %8.1f ms", name, float64(spent.Microseconds())/1000, float64(took.Microseconds())/1000)
	return spent
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// province is a ledger of so many loans, each its borrower's only one, of
// which the first few have another balance than at first.
func province(loans, changed int) string {
	r := rand.New(rand.NewPCG(6, 6))
	branches := max(1, loans/1700)
	today := calendar.MustDate(2026, 11, 23)
	var out strings.Builder
	out.WriteString(header)
	for i := range loans {
		months := 1 + r.IntN(300)
		if r.IntN(3) > 0 {
			months = 1 + r.IntN(36)
		}
		paid := today.AddDays(-r.IntN(min(months*30, 1500) + 1))
		mode, class := "常规", "正常"
		if r.IntN(100) < 7 {
			mode = "重点"
		}
		if r.IntN(100) < 5 {
			class = []string{"关注", "次级", "可疑", "损失"}[r.IntN(4)]
		}
		b, o := 1+r.IntN(branches), r.IntN(40)
		amount := 10_000 * (1 + r.IntN(500))
		left := amount
		if i < changed {
			left /= 2
		}
		fmt.Fprintf(&out, "JJ%07d,C%07d,客户%d,B%04d,S%04d%02d,%d,%d,%s,%s,%s,%s,,按季,0,2026-11-23\n",
			i, i*7919%loans, i, b, b, o, amount, left, paid, paid.AddMonths(months), class, mode)
	}
	return out.String()
}
