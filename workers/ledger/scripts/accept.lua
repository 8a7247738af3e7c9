-- One delivery: known already, the same order as before, or a new run that is due. All or nothing.
local id, delivery, order_key, order, stages, queue, branch, repository, pull_request,
  broker_queue, message, delivery_seconds, order_seconds, instead_of = unpack(ARGV)
local at = now()
local delivery_key = P .. 'delivery:' .. delivery

if delivery ~= '' then
  local known = redis.call('GET', delivery_key)
  if known then return {0, known} end
end

local same = redis.call('GET', P .. 'order:' .. order_key)
if same and same ~= instead_of and redis.call('EXISTS', run_key(same)) == 1 then
  if delivery ~= '' then redis.call('SET', delivery_key, same, 'EX', delivery_seconds) end
  if pull_request ~= '' and redis.call('HSETNX', run_key(same), 'pull_request', pull_request) == 1 then
    changed(same, at)
  end
  redis.call('HINCRBY', P .. 'metrics', 'deliveries_repeated', 1)
  return {0, same}
end

-- Microseconds that never repeat: they order the history and serve as its cursor.
local t = redis.call('TIME')
local score = t[1] * 1000000 + t[2]
local last = tonumber(redis.call('GET', P .. 'clock') or '0')
if score <= last then score = last + 1 end
redis.call('SET', P .. 'clock', text(score))

redis.call('HSET', run_key(id), 'v', '1', 'order', order, 'state', 'queued', 'stages', stages,
  'created_at', text(at), 'score', text(score), 'delivery', delivery, 'queue', queue,
  'branch', branch, 'repository', repository, 'order_key', order_key, 'fence', '0')
if pull_request ~= '' then redis.call('HSET', run_key(id), 'pull_request', pull_request) end
if delivery ~= '' then redis.call('SET', delivery_key, id, 'EX', delivery_seconds) end
redis.call('SET', P .. 'order:' .. order_key, id, 'EX', order_seconds)
redis.call('ZADD', P .. 'runs', text(score), id)
redis.call('ZADD', repository, text(score), id)
redis.call('ZADD', branch, text(score), id)
redis.call('SADD', P .. 'branches', branch)
redis.call('ZADD', P .. 'due', text(at), id)
redis.call('HINCRBY', P .. 'metrics', 'runs_accepted', 1)
-- Nobody follows a run whose id nobody knows yet.
due_report(id, at)
ring(id, 'advance', id, at, broker_queue, message)
return {1, id}
