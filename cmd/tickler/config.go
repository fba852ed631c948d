package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"tickler/api"
	"tickler/scheduler"
)

// config is the config file: what is the same every day. Flags and TICKLER_*
// variables win over it.
type config struct {
	rules  string // relative to the file
	output string
	lang   string
	socket string
	listen string
	hold   scheduler.HoldLimits
	backup backupConfig

	schedule  string // as cron has it
	minFree   uint64 // bytes
	logFormat string
	logLevel  string
}

// configText is what init writes: every key, commented out.
const configText = `# tickler 的配置 / tickler's configuration
# 优先次序：命令行、TICKLER_* 环境变量、本文件、默认值。
# Flags win over TICKLER_* variables, those over this file, this file over the defaults.

# rules: rules.yaml              # 规则簿，相对于本文件 / the rulebook, relative to this file
# output: table                  # table, wide, json, csv, name
# lang: zh                       # zh, en
# socket: /run/tickler/tickler.sock   # 守护进程的套接字，默认 <data>/tickler.sock；写明后本机用户均可连接，按系统用户识别 / the daemon's socket; a named one is for every user of the machine
# listen: 127.0.0.1:8443         # serve 的健康检查地址（/healthz），默认不开 / where serve answers /healthz; off by default
# hold: {share: 20%, least: 200}  # 新规则簿取消或改期的未结事项超过此比例且不少于此数时，须两人启用
#                                # a rulebook that drops or moves more open obligations than that needs two persons
# backup: {dir: backups, at: "0 1 * * *", keep: {daily: 7, weekly: 4}}   # 守护进程的定时备份，默认即此；keep 另有 last、monthly；off 不备份
#                                # the backups that the daemon makes, as by default; keep has last and monthly too; off makes none
# schedule: "* * * * *"          # serve 何时扫描（cron 写法，也可 "@every 30s"）；健康检查以两个间隔为限 / when serve scans; /healthz turns red after two intervals without a scan
# min_free: 64MiB                # 磁盘剩余少于此数时健康检查报警 / /healthz turns red when the disk has less free
# log_format: text               # serve 的日志：text, json / serve's log
# log_level: info                # debug, info, warn, error
`

// readConfig reads a config file. One that was not named may be missing.
func readConfig(path string, named bool) (config, error) {
	var c config
	text, err := os.ReadFile(path)
	if !named && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) {
		return c, nil // none, or that of a daemon which is another user's
	}
	if err != nil {
		return c, fmt.Errorf("read config: %w", err)
	}
	var problems []string
	bad := func(n *yaml.Node, format string, args ...any) {
		problems = append(problems, fmt.Sprintf("%s:%d:%d: %s", path, n.Line, n.Column, fmt.Sprintf(format, args...)))
	}
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return c, nil // nothing but comments
	case err != nil:
		return c, api.Errorf(api.BadFile, "", "%s: %v", path, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return c, api.Errorf(api.BadFile, "", "%s: a second document", path)
	}
	top := doc.Content[0]
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return c, nil
	}
	if top.Kind != yaml.MappingNode {
		return c, api.Errorf(api.BadFile, "", "%s:%d:%d: want keys and values", path, top.Line, top.Column)
	}
	var minFree string
	to := map[string]*string{"rules": &c.rules, "output": &c.output, "lang": &c.lang, "socket": &c.socket, "listen": &c.listen,
		"schedule": &c.schedule, "min_free": &minFree, "log_format": &c.logFormat, "log_level": &c.logLevel}
	keys := []string{"rules", "output", "lang", "socket", "listen", "hold", "backup", "schedule", "min_free", "log_format", "log_level"}
	var seen []string
	for i := 0; i+1 < len(top.Content); i += 2 {
		k, v := top.Content[i], top.Content[i+1]
		switch p := to[k.Value]; {
		case k.Value == "hold" && !slices.Contains(seen, "hold"):
			seen = append(seen, "hold")
			c.hold = readHold(v, bad)
		case k.Value == "backup" && !slices.Contains(seen, "backup"):
			seen = append(seen, "backup")
			c.backup = readBackup(v, bad)
		case p == nil && k.Value != "hold" && k.Value != "backup":
			bad(k, "unknown key %q; want %s", k.Value, strings.Join(keys, ", "))
		case slices.Contains(seen, k.Value):
			bad(k, "%q is there twice", k.Value)
		case v.Kind != yaml.ScalarNode:
			bad(v, "%s: want one value", k.Value)
		case v.Tag == "!!null" || v.Value == "":
			bad(v, "%s: no value", k.Value)
		default:
			seen = append(seen, k.Value)
			*p = v.Value
			var err error
			switch k.Value {
			case "schedule":
				_, err = scheduler.ParseSchedule(c.schedule)
			case "min_free":
				c.minFree, err = readMiB(minFree)
			}
			if err != nil {
				bad(v, "%s: %v", k.Value, err)
			}
		}
	}
	if len(problems) > 0 {
		return c, api.Errorf(api.BadFile, "", "%s", strings.Join(problems, "\n"))
	}
	if c.rules != "" && !filepath.IsAbs(c.rules) {
		c.rules = filepath.Join(filepath.Dir(path), c.rules)
	}
	return c, nil
}

// readMiB reads a number of MiB or GiB as bytes.
func readMiB(text string) (uint64, error) {
	for unit, bytes := range map[string]uint64{"MiB": 1 << 20, "GiB": 1 << 30} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			if n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 20); err == nil && n > 0 {
				return n * bytes, nil
			}
		}
	}
	return 0, fmt.Errorf("%q: want a number of MiB or GiB, such as 64MiB", text)
}

// readHold reads how much a new rulebook may change without a second person.
func readHold(n *yaml.Node, bad func(*yaml.Node, string, ...any)) (h scheduler.HoldLimits) {
	if n.Kind != yaml.MappingNode {
		bad(n, "hold: want {share: 20%%, least: 200}")
		return h
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if seen[k.Value] {
			bad(k, "%q is there twice", k.Value)
			continue
		}
		seen[k.Value] = true
		switch k.Value {
		case "share":
			number, percent := strings.CutSuffix(v.Value, "%")
			p, err := strconv.ParseFloat(number, 64)
			if err != nil || !percent || v.Kind != yaml.ScalarNode || !(p > 0 && p <= 100) {
				bad(v, "share %q: want a share of the open obligations, such as 10%%, up to 100%%", v.Value)
				continue
			}
			h.Share = p / 100
		case "least":
			m, err := strconv.Atoi(v.Value)
			if err != nil || v.Kind != yaml.ScalarNode || m < 1 {
				bad(v, "least %q: want a number of obligations, 1 or more", v.Value)
				continue
			}
			h.Least = m
		default:
			bad(k, "unknown key %q; want share, least", k.Value)
		}
	}
	return h
}
