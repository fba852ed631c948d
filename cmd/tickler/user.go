package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"tickler/api"
)

func newUserCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "user",
		Short: "People: add, list, disable, password, import · 用户",
		Long: `user keeps who works here: role, branch, and the OS user who is him at the command
line. The ledger's 人员 sheet brings people too; what is entered here stands over it.
It is for root, the owner of the data directory, and ops.`,
		Example: `  tickler user add S007 --name 张三 --role officer --branch B01 --os-user zhangsan
  tickler user list`,
		Args: cobra.ArbitraryArgs,
	}
	c.RunE = group(c)
	c.AddCommand(newUserAddCommand(g), newUserListCommand(g), newUserSwitchCommand(g, "disable"), newUserSwitchCommand(g, "enable"), newUserPasswdCommand(g), newUserImportCommand(g))
	return c
}

// userOptions describe a person.
type userOptions struct {
	Name   string
	Roles  []string
	Branch string
	OSUser string
}

func (o *userOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Name, "name", "", "his `NAME`")
	f.StringSliceVar(&o.Roles, "role", nil, "his `ROLE`: officer, supervisor, monitor, risk_manager, deputy_president, president, asset_manager, ops, auditor")
	f.StringVar(&o.Branch, "branch", "", "his branch, by `ID`; he sees it and those below")
	f.StringVar(&o.OSUser, "os-user", "", "the OS `USER` who is him at the command line")
}

func newUserAddCommand(g *global) *cobra.Command {
	var o userOptions
	c := &cobra.Command{
		Use:   "add STAFF --name N --role R --branch B [--os-user U]",
		Short: "Add a person, or change what is given of one · 新增或修改",
		Long:  `add enters a person under his staff number. Of one who is there it changes what is given.`,
		Example: `  tickler user add S007 --name 张三 --role officer --branch B01 --os-user zhangsan
  tickler user add S007 --role supervisor`,
		Args: nArgs("STAFF"),
		RunE: func(c *cobra.Command, args []string) error {
			return runUser(c.Context(), g, api.UserRequest{Staff: args[0], Name: o.Name, Roles: o.Roles, Branch: o.Branch, OSUser: o.OSUser})
		},
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func newUserSwitchCommand(g *global, word string) *cobra.Command {
	short := map[string]string{"disable": "Let a person do nothing more · 停用", "enable": "Let a disabled person work again · 启用"}[word]
	c := &cobra.Command{
		Use: word + " STAFF", Short: short, Long: short, Example: "  tickler user " + word + " S007",
		Args: nArgs("STAFF"),
		RunE: func(c *cobra.Command, args []string) error {
			return runUser(c.Context(), g, api.UserRequest{Staff: args[0], Disable: word == "disable", Enable: word == "enable"})
		},
	}
	exits(c, storeExits...)
	return c
}

func newUserPasswdCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:     "passwd STAFF",
		Short:   "Set a person's password · 设置口令",
		Long:    `passwd reads a password, twice from a terminal or one line from stdin, and keeps its argon2id hash.`,
		Example: `  tickler user passwd S007`,
		Args:    nArgs("STAFF"),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := readPassword(g)
			if err != nil {
				return err
			}
			return runUser(c.Context(), g, api.UserRequest{Staff: args[0], Password: p})
		},
	}
	exits(c, storeExits...)
	return c
}

func readPassword(g *global) (string, error) {
	if f, ok := g.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if g.noInput {
			return "", usagef("--no-input: give the password on stdin")
		}
		var typed [2]string
		for i, ask := range []string{g.tr("口令：", "Password: "), g.tr("再输一次：", "Again: ")} {
			fmt.Fprint(g.stderr, ask)
			b, err := term.ReadPassword(int(f.Fd()))
			fmt.Fprintln(g.stderr)
			if err != nil {
				return "", fmt.Errorf("read the password: %w", err)
			}
			typed[i] = string(b)
		}
		if typed[0] != typed[1] {
			return "", usagef("the two passwords differ (两次输入不一致)")
		}
		return typed[0], nil
	}
	line, err := bufio.NewReader(g.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func runUser(ctx context.Context, g *global, r api.UserRequest) error {
	return g.withClient(ctx, func(c *api.Client) error {
		reply, err := c.User(ctx, r)
		if err != nil {
			return err
		}
		if g.output == "json" {
			return writeJSON(g.stdout, reply)
		}
		word := g.tr("没有变化", "unchanged")
		switch {
		case reply.New:
			word = g.tr("已新增", "added")
		case reply.Changed:
			word = g.tr("已修改", "changed")
		}
		_, err = fmt.Fprintf(g.stdout, "%s %s %s\n", word, reply.User.Staff, reply.User.Name)
		return err
	})
}

func newUserListCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "Who works here · 用户一览",
		Long:    `list shows people with role, branch and OS user, and who stands in for whom.`,
		Example: "  tickler user list\n  tickler user list -o csv",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runUserList(c.Context(), g) },
	}
	exits(c, storeExits...)
	return c
}

func runUserList(ctx context.Context, g *global) error {
	return g.withClient(ctx, func(c *api.Client) error {
		reply, err := c.Users(ctx)
		if err != nil {
			return err
		}
		row := func(u api.User) []string {
			return []string{u.Staff, u.Name, strings.Join(u.Roles, " "), u.Branch, u.OSUser, map[bool]string{true: "disabled"}[u.Disabled], u.Source}
		}
		switch g.output {
		case "json":
			return writeJSON(g.stdout, reply)
		case "name":
			for _, u := range reply.Users {
				fmt.Fprintln(g.stdout, u.Staff)
			}
			return nil
		case "csv":
			return writeCSV(g.stdout, []string{"staff", "name", "role", "branch", "os_user", "disabled", "source"}, func(yield func([]string) bool) {
				for _, u := range reply.Users {
					if !yield(row(u)) {
						return
					}
				}
			})
		}
		s := &sheet{heads: []string{g.tr("工号", "Staff"), g.tr("姓名", "Name"), g.tr("岗位", "Role"), g.tr("机构", "Branch"), g.tr("系统用户", "OS user"), g.tr("状态", "State"), g.tr("来源", "From")}}
		for _, u := range reply.Users {
			cells := row(u)
			cells[2] = strings.Join(roles(g, u.Roles), " ")
			cells[5] = map[bool]string{true: g.tr("停用", "disabled")}[u.Disabled]
			s.add(nil, cells...)
		}
		if err := s.print(g.stdout, g.colour()); err != nil {
			return err
		}
		for _, d := range reply.Deputies {
			fmt.Fprintf(g.stdout, g.tr("%s 由 %s 代理，%s 至 %s\n", "%s: %s stands in from %s to %s\n"), d.For, d.By, d.From, d.To)
		}
		return nil
	})
}

func newUserImportCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Add people from a CSV file · 批量导入",
		Long: `import reads a CSV file with the heads staff, name, role, branch and os_user (工号,
姓名, 岗位, 机构, 系统用户), one person a line. It stops at the first line that is
refused and says which; the lines before it are kept, and the same file again
changes nothing of them.`,
		Example: "  tickler user import staff.csv",
		Args:    nArgs("FILE"),
		RunE:    func(c *cobra.Command, args []string) error { return runUserImport(c.Context(), g, args[0]) },
	}
	exits(c, storeExits...)
	return c
}

// userHeads are the columns of a file of people.
var userHeads = [][]string{{"staff", "工号"}, {"name", "姓名"}, {"role", "岗位"}, {"branch", "机构"}, {"os_user", "系统用户"}}

func runUserImport(ctx context.Context, g *global, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read users: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return api.Errorf(api.BadFile, "", "%s: %v", path, err)
	}
	if len(rows) == 0 {
		return api.Errorf(api.BadFile, "", "%s is empty", path)
	}
	at := make([]int, len(userHeads))
	for i, names := range userHeads {
		at[i] = slices.IndexFunc(rows[0], func(h string) bool { return slices.Contains(names, strings.TrimPrefix(strings.TrimSpace(h), "\ufeff")) })
		if at[i] < 0 && i < 3 {
			return api.Errorf(api.BadFile, "the heads are staff,name,role,branch,os_user", "%s:1: no column %s", path, strings.Join(names, " or "))
		}
	}
	cell := func(row []string, i int) string {
		if at[i] < 0 || at[i] >= len(row) {
			return ""
		}
		return strings.TrimSpace(row[at[i]])
	}
	return g.withClient(ctx, func(c *api.Client) error {
		added, changed := 0, 0
		for n, row := range rows[1:] {
			reply, err := c.User(ctx, api.UserRequest{Staff: cell(row, 0), Name: cell(row, 1), Roles: strings.Fields(strings.NewReplacer("、", " ", ";", " ").Replace(cell(row, 2))), Branch: cell(row, 3), OSUser: cell(row, 4)})
			if err != nil {
				var e *api.Error
				if errors.As(err, &e) {
					e.Text = fmt.Sprintf("%s:%d: %s", path, n+2, e.Text)
				}
				return err
			}
			if reply.New {
				added++
			} else if reply.Changed {
				changed++
			}
		}
		_, err := fmt.Fprintln(g.stdout, g.tr(fmt.Sprintf("新增 %d 人，修改 %d 人", added, changed), fmt.Sprintf("%d added, %d changed", added, changed)))
		return err
	})
}
