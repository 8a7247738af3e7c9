-- The beginning of a run.
-- @include changed
-- @include clock
-- @include keys
-- @include move
-- @include task

-- Write a new run down: in every index, due at once, its bell rung. `run` has its parts by name.
local function begin(run, at)
  -- Microseconds that never repeat: they order the history and serve as its cursor.
  local t = redis.call('TIME')
  local score = t[1] * 1000000 + t[2]
  local last = tonumber(redis.call('GET', KEY.CLOCK) or '0')
  if score <= last then score = last + 1 end
  redis.call('SET', KEY.CLOCK, text(score))

  local id, key = run.id, run_key(run.id)
  move(id, '', 'queued', 'v', '1', 'order', run.order, 'stages', run.stages, 'created_at', text(at),
    'score', text(score), 'delivery', run.delivery, 'queue', run.queue, 'branch', run.branch,
    'repository', run.repository, 'order_key', run.order_key, 'fence', '0')
  if run.pull_request ~= '' then redis.call('HSET', key, 'pull_request', run.pull_request) end
  if run.delivery ~= '' then
    redis.call('SET', KEY.DELIVERY .. run.delivery, id, 'EX', run.delivery_seconds)
  end
  redis.call('SET', KEY.ORDER .. run.order_key, id, 'EX', run.order_seconds)
  redis.call('ZADD', KEY.RUNS, text(score), id)
  redis.call('ZADD', run.repository, text(score), id)
  redis.call('ZADD', run.branch, text(score), id)
  redis.call('SADD', KEY.BRANCHES, run.branch)
  redis.call('ZADD', KEY.DUE, text(at), id)
  redis.call('HINCRBY', KEY.METRICS, 'runs_accepted', 1)
  -- Nobody follows a run whose id nobody knows yet.
  due_report(id, at)
  ring(id, 'advance', id, at, run.broker_queue, run.message)
end
