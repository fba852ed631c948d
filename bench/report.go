//go:build linux

package main

// performanceHead is the text above the tables of docs/performance.md.
const performanceHead = `# Performance

Written by ` + "`make bench LOANS=…`" + `; 中文简述见 [performance.zh-CN.md](performance.zh-CN.md).

This run: %s loans, on %s; load average up to %.1f; seed %d, day %s.
%s

Read the ratios. Each peer did the same work on the same rows in the same run, on the same disk, and the ratio of the two is
what can be expected elsewhere; under 1.5 it is a tie, and says so. The absolute figures are of this machine on that day, and promise nothing.
A process is timed from outside, from its start to its end; its cpu is user and system time, its memory the most that was
resident, both told by the kernel (wait4). Figures are medians of five runs, a program and its peers in turns, or of one run where it takes over 20 s ("one run").
"3x" means that the peer needed three times as long.

%s

`
