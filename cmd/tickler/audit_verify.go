package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
)

type auditVerifyOptions struct {
	anchors []string
	export  string
}

func (o *auditVerifyOptions) AddFlags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.anchors, "anchor", nil, "a head printed before: `SEQ:HASH`, or a file that holds some, the daemon's log for one; may be repeated")
	f.StringVar(&o.export, "export", "", "prove an exported `FILE` (- is standard input) instead of the store")
}

func newAuditVerifyCommand(g *global) *cobra.Command {
	var o auditVerifyOptions
	c := &cobra.Command{
		Use:   "verify [flags]",
		Short: "Prove that no record was changed, dropped or put in · 验证审计链",
		Long: `verify reads every audit record: numbers without a gap, checksums, the chain of
hashes, business dates that never go back, the head against the last record, and
the index by which records are found. A clock that went back is a warning.

It needs no daemon: the store is opened for reading only. While a daemon runs, the
daemon reads, a page at a time. What it finds goes to stdout, and it exits 3.

Without --anchor a cut tail, a trail chained again to its end and an older copy are
whole in themselves and are not found. An anchor that names a record with another
hash, or one behind the end, finds them. Records added since the anchor are fine.

--export proves a file that "audit export -o json" wrote, without a store.`,
		Example: `  tickler audit verify
  tickler audit verify --anchor 1042:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  tickler audit verify --anchor /mnt/audit-office/heads.txt
  tickler audit verify --export november.jsonl`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runAuditVerify(c.Context(), g, &o) },
	}
	o.AddFlags(c.Flags())
	exits(c, exitOK, exitFailed, exitUsage, exitFindings, exitNoStore, exitLocked, exitNotAllowed, exitInterrupted)
	return c
}

func runAuditVerify(ctx context.Context, g *global, o *auditVerifyOptions) error {
	var r api.AuditVerifyRequest
	for _, a := range o.anchors {
		heads, err := readAnchors(a)
		if err != nil {
			return err
		}
		r.Anchors = append(r.Anchors, heads...)
	}
	done := g.busy(g.tr("正在验证", "verifying"))
	proof, err := g.proof(ctx, o.export, r)
	done()
	if err != nil {
		return err
	}
	if g.output == "json" {
		err = writeJSON(g.stdout, proof)
	} else {
		g.writeProof(proof, o.export != "")
	}
	for _, seq := range proof.Backward {
		fmt.Fprintf(g.stderr, g.tr("警告：第 %d 条记录的时刻早于前一条：系统时钟曾被拨回\n", "warning: record %d was written at an earlier moment than the one before: the clock had been set back\n"), seq)
	}
	if err == nil && !proof.Sound {
		return status(exitFindings)
	}
	return err
}

// proof proves an export, the store through its daemon, or the store itself.
func (g *global) proof(ctx context.Context, export string, r api.AuditVerifyRequest) (*api.AuditProof, error) {
	if export == "-" {
		return scheduler.ProveExport(g.stdin, r)
	}
	if export != "" {
		f, err := os.Open(export)
		if err != nil {
			return nil, fmt.Errorf("read the export: %w", err)
		}
		defer f.Close()
		return scheduler.ProveExport(f, r)
	}
	c, err := g.dial(ctx)
	if err != nil {
		return nil, err
	}
	if c != nil {
		return c.AuditVerify(ctx, r)
	}
	db, err := bolt.Open(g.storePath(), bolt.Options{Timeout: lockWait, ReadOnly: true})
	switch {
	case errors.Is(err, store.ErrLocked): // a daemon may have begun to listen in between
		if c, dialErr := g.dial(ctx); dialErr == nil && c != nil {
			return c.AuditVerify(ctx, r)
		}
		return nil, coded(err)
	case errors.Is(err, store.ErrCorrupt):
		return &api.AuditProof{Anchors: []api.Head{}, Backward: []uint64{}, Bad: &api.AuditBad{Fault: "file", Error: err.Error()}}, nil
	case err != nil:
		return nil, coded(err)
	}
	st := store.New(db)
	defer st.Close()
	return scheduler.ProveAudit(ctx, st, r)
}

// anchorForms are the forms in which heads are printed: by audit head, status
// and check; in the daemon's log; in JSON.
var anchorForms = []*regexp.Regexp{
	regexp.MustCompile(`\b(\d{1,19}):([0-9a-f]{64})\b`),
	regexp.MustCompile(`\baudit_seq=(\d{1,19}) audit_head=([0-9a-f]{64})\b`),
	regexp.MustCompile(`"audit_seq":(\d{1,19}),"audit_head":"([0-9a-f]{64})"`),
	regexp.MustCompile(`"seq":\s*(\d{1,19}),\s*"hash":\s*"([0-9a-f]{64})"`),
}

var oneAnchor = regexp.MustCompile(`^\d{1,19}:[0-9a-f]{64}$`)

// readAnchors takes SEQ:HASH, or every head that a file holds.
func readAnchors(arg string) ([]api.Head, error) {
	text := []byte(arg)
	if !oneAnchor.MatchString(arg) {
		f, err := os.Open(arg)
		if err != nil {
			return nil, usagef("--anchor %q: neither SEQ:HASH nor a file that can be read: %v", arg, err)
		}
		defer f.Close()
		if text, err = io.ReadAll(f); err != nil {
			return nil, fmt.Errorf("read the anchors: %w", err)
		}
	}
	var out []api.Head
	for _, form := range anchorForms {
		for _, m := range form.FindAllSubmatch(text, -1) {
			seq, err := strconv.ParseUint(string(m[1]), 10, 64)
			if err != nil {
				return nil, usagef("--anchor %q: %v", arg, err)
			}
			out = append(out, api.Head{Seq: seq, Hash: string(m[2])})
		}
	}
	if len(out) == 0 {
		return nil, usagef("--anchor %q: no SEQ:HASH in it", arg)
	}
	return out, nil
}

// faultWords say what is wrong with a record, and what that means.
var faultWords = map[string][2]string{
	"head":       {"链头记录损坏，不知道应有多少条", "the head of the trail is damaged: how many records there should be is not known"},
	"unreadable": {"第 %d 条已损坏：内容或校验和被改动，或磁盘出错", "record %d is damaged: its bytes or their checksum were changed, or the disk failed"},
	"missing":    {"第 %d 条缺失：被删除，或末尾被截断", "record %d is missing: it was removed, or the end was cut off"},
	"number":     {"第 %d 条的位置上是另一序号的记录：记录被对调、重复或插入", "in the place of record %d stands one with another number: records were swapped, doubled or put in"},
	"order":      {"第 %d 条接不上前一条：它或前面的记录被替换、插入或删除", "record %d does not follow the one before: it or an earlier one was replaced, put in or removed"},
	"content":    {"第 %d 条的内容被改动：与其散列值不符", "the content of record %d was changed: its hash is another"},
	"beyond":     {"第 %d 条起的记录在链头之后：被添加，或链头被改回", "records from %d on stand behind the head: they were put in, or the head was put back"},
	"last":       {"最后的第 %d 条不是链头所指：末尾被改写", "the last record, %d, is not the one of the head: the end was rewritten"},
	"day":        {"第 %d 条的营业日早于前一条：营业日从不倒退，记录系伪造", "the business date of record %d is before that of the record before it: it never goes back, the record is forged"},
	"index":      {"记录完好，但按对象查找的索引与记录不符：audit show 可能漏列", "the records are sound, but the index by subject does not agree with them: audit show may leave some out"},
	"file":       {"数据库文件损坏，无法读取", "the database file is damaged and cannot be read"},
}

func (g *global) writeProof(p *api.AuditProof, export bool) {
	if p.Bad != nil {
		b := p.Bad
		var text string
		switch b.Fault {
		case "cut":
			text = fmt.Sprintf(g.tr("第 %d 条缺失：锚点证明它曾经存在。末尾被截断，或这是较早的副本", "record %d is missing: an anchor proves that it was there. The end was cut off, or this is an older copy"), b.Seq)
		case "other":
			text = fmt.Sprintf(g.tr("第 %[1]d 条不是锚点所记的那一条：第 %[2]d 至 %[1]d 条之间有改动，其后整链重算",
				"record %[1]d is not the one that the anchor names: something from record %[2]d to %[1]d was changed, and the trail chained again"), b.Seq, b.Since)
		default:
			w, ok := faultWords[b.Fault]
			if !ok {
				w = [2]string{"第 %d 条不成立", "record %d does not hold"}
			}
			text = g.tr(w[0], w[1])
			if strings.Contains(text, "%d") {
				text = fmt.Sprintf(text, b.Seq)
			}
		}
		fmt.Fprintln(g.stdout, g.tr("审计链不成立：", "the trail does not hold: ")+text)
		fmt.Fprintln(g.stdout, "  "+printable(b.Error))
		if p.Count > 0 {
			fmt.Fprintf(g.stdout, g.tr("成立到第 %d 条：%s\n", "it holds to record %d: %s\n"), p.Head.Seq, anchorText(p.Head))
		}
		return
	}
	if p.Count == 0 {
		fmt.Fprintln(g.stdout, g.tr("没有审计记录", "there are no audit records"))
	} else {
		fmt.Fprintf(g.stdout, g.tr("完好：第 %d 至 %d 条，共 %d 条，%s 至 %s\n", "sound: records %d to %d, %d of them, %s to %s\n"),
			p.First, p.Head.Seq, p.Count, g.moment(*p.Since), g.moment(*p.Until))
		fmt.Fprintf(g.stdout, g.tr("链头 %s\n", "head %s\n"), anchorText(p.Head))
	}
	for _, a := range p.Anchors {
		fmt.Fprintf(g.stdout, g.tr("与锚点相符 %s\n", "anchor met %s\n"), anchorText(a))
	}
	switch {
	case len(p.Anchors) > 0:
	case export && p.First > 1:
		fmt.Fprintf(g.stderr, g.tr("提示：文件从第 %d 条开始，它前后的记录须以 --anchor 佐证\n", "hint: the file begins with record %d; what is before and after it only --anchor proves\n"), p.First)
	default:
		fmt.Fprintln(g.stderr, g.tr("提示：未给锚点，末尾被截断、整链重算或换回旧副本看不出来；用 --anchor 给出此前打印的链头", "hint: without --anchor a cut end, a trail chained again and an older copy are not found; give a head printed before"))
	}
}
