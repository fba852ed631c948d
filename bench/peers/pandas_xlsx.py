import json, sys, time
import pandas
start = time.monotonic()
frame = pandas.read_excel(sys.argv[1], dtype=str)
print(json.dumps({"Rows": len(frame), "Took": int((time.monotonic() - start) * 1e9)}))
