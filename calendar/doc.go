// Package calendar knows days: the civil day itself (Date), the periods that
// reports follow, limits ("10 workdays", "-1 month preceding"), and which
// days the bank works.
//
// The working calendar is Monday to Friday, minus the days off and plus the
// make-up workdays (调休上班) of the State Council's yearly notices, then the
// bank's own overlay. It is a list of dated notices with document numbers, of
// which the later one wins, day by day: December may be settled by the next
// year's notice, and three notices were amended in mid year (2015, 2019,
// 2020). The loaded set has a Version, so that a date can be kept together
// with the calendar that gave it. A year without a notice is provisional:
// weekends and the statutory festivals (令第795号), nothing bridged. A day
// beyond those years is ErrBeyond, never a guess.
//
// Counting follows the Civil Code (民法典): the starting day does not count
// (201), a month limit ends on the corresponding day or the month's last day
// (202), a limit that ends on a day off ends on the working day after (203)
// where a rule lands it there.
//
// What it is not: there is no clock here (DateIn is the only place where a
// moment becomes a day), no time of day, no zone data, no interest day count,
// and no knowledge of loans. It does not say which landing a rule uses; the
// rulebook does.
package calendar
