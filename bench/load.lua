-- Asks the paths of the file PATHS one after another, from a random one on, with the header HEADER ("Name: value").
local requests, next = {}, 0

function init()
  math.randomseed(os.time())
  local headers, header = {}, os.getenv("HEADER")
  if header ~= "" then
    local name, value = header:match("^(.-): (.*)$")
    headers[name] = value
  end
  for path in io.lines(os.getenv("PATHS")) do
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
  next = math.random(#requests)
end

function request()
  next = next % #requests + 1
  return requests[next]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("MEASURED %d %f %d %d %d\n", summary.requests, summary.duration / 1e6,
    latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
