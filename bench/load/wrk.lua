-- For wrk: post bodies in turns for ever, and print the summary as one line of
-- JSON. Environment: BENCH_BODIES, a file as bench/load/load.c has it.
local requests, turn = {}, 0

function init(_arguments)
   local file = assert(io.open(os.getenv("BENCH_BODIES"), "rb"))
   local headers = {["Content-Type"] = "application/json"}
   for line in file:lines() do
      local body = file:read(tonumber(line:match("^%d+")))
      requests[#requests + 1] = wrk.format("POST", "/", headers, body)
   end
   file:close()
end

function request()
   turn = turn % #requests + 1
   return requests[turn]
end

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
