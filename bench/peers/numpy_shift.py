# numpy shifts a vector of days by 15 working days: prints nanoseconds a day.
# stdin: the days off on a weekday, then an empty line; make-up days cannot be told.
import json, sys, time
import numpy
off = numpy.array([l.strip() for l in sys.stdin if l.strip()], dtype="datetime64[D]")
days = numpy.datetime64("2026-01-01") + numpy.arange(256 * 400) % 256
cal = numpy.busdaycalendar(holidays=off)
best = []
for _ in range(5):
    start = time.monotonic()
    numpy.busday_offset(days, 15, roll="backward", busdaycal=cal)
    best.append((time.monotonic() - start) * 1e9 / len(days))
print(json.dumps(sorted(best)[2]))
