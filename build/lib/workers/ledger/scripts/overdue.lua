-- What should be going on and may not be: runs due for `grace` ms, leases that expired, reports.
local grace, limit = tonumber(ARGV[1]), ARGV[2]
local at = now()
local function until_(key, score)
  return redis.call('ZRANGEBYSCORE', P .. key, '-inf', text(score), 'LIMIT', 0, limit)
end
local runs = until_('due', at - grace)
for _, id in ipairs(until_('leases', at)) do runs[#runs + 1] = id end
local queued = {}
for i, id in ipairs(runs) do queued[i] = redis.call('HGET', run_key(id), 'queue') or 'build' end
return {runs, queued, until_('reports', at - grace)}
