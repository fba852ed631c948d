package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"tickler/api"
)

// config is the config file: what is the same every day. Flags and TICKLER_*
// variables win over it.
type config struct {
	rules  string // relative to the file
	output string
	lang   string
	socket string
	listen string
}

// configText is what init writes: every key, commented out.
const configText = `# tickler 的配置 / tickler's configuration
# 优先次序：命令行、TICKLER_* 环境变量、本文件、默认值。
# Flags win over TICKLER_* variables, those over this file, this file over the defaults.

# rules: rules.yaml              # 规则簿，相对于本文件 / the rulebook, relative to this file
# output: table                  # table, wide, json, csv, name
# lang: zh                       # zh, en
# socket: /run/tickler/tickler.sock   # 守护进程的套接字，默认 <data>/tickler.sock / the daemon's socket
# listen: 127.0.0.1:8443         # serve 的健康检查地址（/healthz），默认不开 / where serve answers /healthz; off by default
`

// readConfig reads a config file. One that was not named may be missing.
func readConfig(path string, named bool) (config, error) {
	var c config
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return c, nil
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
	to := map[string]*string{"rules": &c.rules, "output": &c.output, "lang": &c.lang, "socket": &c.socket, "listen": &c.listen}
	keys := []string{"rules", "output", "lang", "socket", "listen"}
	var seen []string
	for i := 0; i+1 < len(top.Content); i += 2 {
		k, v := top.Content[i], top.Content[i+1]
		switch p := to[k.Value]; {
		case p == nil:
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
