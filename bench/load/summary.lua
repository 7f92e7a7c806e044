-- Ends wrk's report with one line of JSON; latencies in milliseconds.
function done(summary, latency)
  local errors = summary.errors
  local ms = function(percentile) return latency:percentile(percentile) / 1000 end
  io.write(string.format(
    '\n{"done":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50":%.3f,"p95":%.3f,"p99":%.3f,"p999":%.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, ms(50), ms(95), ms(99), ms(99.9)))
end
