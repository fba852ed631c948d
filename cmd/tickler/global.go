package main

import (
	"cmp"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"tickler/calendar"
	"tickler/scheduler"
)

// global is what every command shares: the streams, the environment, and the
// global flags once they are resolved.
type global struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	env    map[string]string
	now    func() time.Time // the wall clock, for commands that have no store to ask

	data    string
	anyData bool   // nobody named it
	rules   string // "" until resolved: DIR/rules.yaml, else the embedded one
	on      dateFlag
	output  string
	lang    string
	config  string
	socket  string // where the daemon listens; "" is DIR/tickler.sock
	listen  string // serve's HTTPS address from the config file
	noInput bool
	hold    scheduler.HoldLimits // from the config file
	backups scheduler.BackupPlan // likewise

	schedule string // when the daemon scans, from the config file; "" is every minute
	minFree  uint64 // bytes the disk must have free, from there; 0 is the default
	logAs    string // text, json
	logFrom  string // debug, info, warn, error

	flags   *pflag.FlagSet // tells which flags were given
	proving bool           // this is the process that a damaged file may end
	patient atomic.Bool    // the command ends by itself when it is interrupted
}

// outputs are the forms of -o.
var outputs = []string{"table", "wide", "json", "csv", "name", "xlsx"}

// AddFlags declares the global flags.
func (g *global) AddFlags(f *pflag.FlagSet) {
	g.flags = f
	f.StringVar(&g.data, "data", defaultData, "`DIR` of the store (TICKLER_DATA)")
	f.StringVar(&g.rules, "rules", "", "rulebook `FILE` (TICKLER_RULES; default DIR/rules.yaml, else the embedded one)")
	f.Var(&g.on, "on", "as if today were `DATE`; for import, record and tick: the business day of the change")
	f.StringVarP(&g.output, "output", "o", "table", "`FORMAT`: table, wide, json, csv or name")
	f.StringVar(&g.lang, "lang", "zh", "`zh|en`: language of tables and sentences (TICKLER_LANG, LANG)")
	f.StringVar(&g.config, "config", "", "config `FILE` (TICKLER_CONFIG; default DIR/config.yaml)")
	f.StringVar(&g.socket, "socket", "", "the daemon's socket, by `PATH` (TICKLER_SOCKET; default DIR/tickler.sock, or of a DIR that is not yours "+packagedSocket+")")
	f.BoolVar(&g.noInput, "no-input", false, "never ask; fail where an answer would be needed")
}

// defaultData is where a store is looked for. Packages give TICKLER_DATA.
const defaultData = "./tickler-data"

// resolve settles every global flag: flag, then TICKLER_*, then the config
// file, then the default.
func (g *global) resolve() error {
	given := func(name string) bool { return g.flags.Changed(name) }
	fromEnv := func(flag, key string, to *string) bool {
		if v := g.env[key]; v != "" && !given(flag) {
			*to = v
			return true
		}
		return given(flag)
	}
	g.anyData = !fromEnv("data", "TICKLER_DATA", &g.data)
	if g.data == "" {
		return usagef("--data is empty")
	}
	named := fromEnv("config", "TICKLER_CONFIG", &g.config)
	if !named {
		g.config = filepath.Join(g.data, "config.yaml")
	}
	c, err := readConfig(g.config, named)
	if err != nil {
		return err
	}
	settle := func(flag, key, file string, to *string) bool {
		if fromEnv(flag, key, to) {
			return true
		}
		if file != "" {
			*to = file
		}
		return file != ""
	}
	settle("rules", "TICKLER_RULES", c.rules, &g.rules)
	settle("output", "TICKLER_OUTPUT", c.output, &g.output)
	if !settle("lang", "TICKLER_LANG", c.lang, &g.lang) && strings.HasPrefix(g.env["LANG"], "en") {
		g.lang = "en"
	}
	settle("socket", "TICKLER_SOCKET", c.socket, &g.socket)
	if g.listen = c.listen; g.env["TICKLER_LISTEN"] != "" {
		g.listen = g.env["TICKLER_LISTEN"]
	}
	g.hold, g.backups, g.schedule, g.minFree = c.hold, c.backup.plan(g.data), c.schedule, c.minFree
	g.logAs, g.logFrom = cmp.Or(g.env["TICKLER_LOG_FORMAT"], c.logFormat), cmp.Or(g.env["TICKLER_LOG_LEVEL"], c.logLevel)
	switch {
	case strings.HasPrefix(g.lang, "zh"):
		g.lang = "zh"
	case strings.HasPrefix(g.lang, "en"):
		g.lang = "en"
	default:
		return usagef("--lang %q: want zh or en", g.lang)
	}
	for _, o := range outputs {
		if g.output == o {
			return nil
		}
	}
	return usagef("-o %q: want %s", g.output, strings.Join(outputs, ", "))
}

// rulesPath is the rulebook's file; "" is the embedded one.
func (g *global) rulesPath() string {
	if g.rules != "" {
		return g.rules
	}
	p := filepath.Join(g.data, "rules.yaml")
	if _, err := os.Stat(p); err == nil {
		return p
	}
	return ""
}

// hasty has the collector of a command that lists do less: the process ends soon,
// and its memory with it. GOGC wins.
func (g *global) hasty() {
	if g.env["GOGC"] == "" {
		debug.SetGCPercent(400)
	}
}

// tr picks the words of the chosen language.
func (g *global) tr(zh, en string) string {
	if g.lang == "en" {
		return en
	}
	return zh
}

// terminal says that w is one, and how wide; 0 where that is not known.
func terminal(w io.Writer) (width int, ok bool) {
	if o, kept := w.(*output); kept {
		w = o.w
	}
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, true
	}
	return width, true
}

// colour says that stdout may be coloured: a terminal, without NO_COLOR.
func (g *global) colour() bool {
	_, tty := terminal(g.stdout)
	return tty && g.env["NO_COLOR"] == "" && g.env["TERM"] != "dumb"
}

// log makes the daemon's log: lines of key=value, or of JSON.
func (g *global) log() (*slog.Logger, error) {
	var o slog.HandlerOptions
	if g.logFrom != "" {
		var level slog.Level
		if !slices.Contains(logLevels, g.logFrom) || level.UnmarshalText([]byte(g.logFrom)) != nil {
			return nil, usagef("--log-level %q: want %s", g.logFrom, strings.Join(logLevels, ", "))
		}
		o.Level = level
	}
	switch g.logAs {
	case "", "text":
		return slog.New(slog.NewTextHandler(g.stderr, &o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(g.stderr, &o)), nil
	}
	return nil, usagef("--log-format %q: want text or json", g.logAs)
}

var logLevels = []string{"debug", "info", "warn", "error"}

// zone is the branch's: the store's own day comes from the scheduler.
func (g *global) zone() *time.Location {
	z, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		return time.FixedZone("CST", 8*3600)
	}
	return z
}

// wallDay is today for the commands that have no store: --on, else the clock.
func (g *global) wallDay() calendar.Date {
	if !g.on.IsZero() {
		return g.on.Date
	}
	return calendar.DateIn(g.now(), g.zone())
}

// dateFlag is a flag that takes YYYY-MM-DD.
type dateFlag struct{ calendar.Date }

func (d *dateFlag) Set(s string) (err error) {
	d.Date, err = calendar.ParseDate(s)
	return err
}

// Type names it in help.
func (d *dateFlag) Type() string { return "DATE" }
