-- wrk: what to send comes from the environment, and what came out goes to the file RESULT.
local method, path, body = os.getenv("METHOD"), os.getenv("PATH_TEMPLATE"), os.getenv("BODY")
local rows = tonumber(os.getenv("ROWS"))
local sources, source_ok = tonumber(os.getenv("SOURCES")), os.getenv("SOURCE_OK")
local headers = {["Content-Type"] = "application/json"}
local thread
partial = 0

function setup(only)
  thread = only
end

function init(args)
  math.randomseed(42)
end

function request()
  local id = tostring(math.random(rows))
  return wrk.format(method, (path:gsub("{id}", id)), headers, body)
end

-- Where it is not defined, wrk saves itself the answers.
if sources > 0 then
  function response(status, _, answer)
    local _, answered = answer:gsub(source_ok, "")
    if status < 400 and answered < sources then
      partial = partial + 1
    end
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  local file = io.open(os.getenv("RESULT"), "w")
  file:write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout
    + thread:get("partial")))
  file:close()
end
