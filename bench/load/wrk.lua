-- For bench/load/check: wrk posts one body for ever and prints the summary as
-- one line of JSON.
-- Environment: BENCH_BODY (file).
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.path = "/"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
file:close()

function done(summary, latency, _requests)
   local e = summary.errors
   local points = {}
   for _, p in ipairs({50, 75, 90, 95, 99, 99.9, 100}) do
      points[#points + 1] = string.format('"%g":%d', p, latency:percentile(p))
   end
   io.write(string.format(
      'SUMMARY {"requests":%d,"microseconds":%d,"failed":%d,' ..
      '"latency":{%s}}\n', summary.requests, summary.duration,
      e.connect + e.read + e.write + e.status + e.timeout,
      table.concat(points, ",")))
end
