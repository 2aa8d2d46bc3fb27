-- One fixed request, described by BENCH_METHOD, BENCH_BODY and BENCH_HEADERS ("Name: value" lines), and the result as JSON.

local function setting(name)
  return os.getenv("BENCH_" .. name) or ""
end

local prepared

function init()
  local headers = {}
  for name, value in setting("HEADERS"):gmatch("([^:\n]+): ([^\n]*)") do
    headers[name] = value
  end
  local body = setting("BODY")
  prepared = wrk.format(setting("METHOD"), nil, headers, body ~= "" and body or nil)
end

function request()
  return prepared
end

function done(summary, latency)
  local errors = 0
  for _, count in pairs(summary.errors) do
    errors = errors + count
  end
  print(string.format(
    'RESULT {"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, errors))
end
