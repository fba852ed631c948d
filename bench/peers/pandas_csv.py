# pandas parses the ledger and types its columns: prints rows and seconds.
import json, sys, time
import pandas
path = sys.argv[1]
start = time.monotonic()
frame = pandas.read_csv(path, encoding="gb18030", dtype={"借据号": str, "合同号": str, "客户号": str},
                        parse_dates=["发放日", "到期日", "数据日期"])
print(json.dumps({"Rows": len(frame), "Took": int((time.monotonic() - start) * 1e9)}))
