-- wrk: what to send comes from the environment, and what came out goes to the file RESULT.
local method, path, body = os.getenv("METHOD"), os.getenv("PATH_TEMPLATE"), os.getenv("BODY")
local headers = {["Content-Type"] = "application/json"}

function init(args)
  math.randomseed(42)
end

function request()
  local id = tostring(math.random(1, 10000))
  return wrk.format(method, (path:gsub("{id}", id)), headers, body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  local file = io.open(os.getenv("RESULT"), "w")
  file:write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
  file:close()
end
