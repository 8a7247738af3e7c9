-- Stands before every script: Redis's own clock, the keys, and what several scripts ask and do.
local P = 'slipway:'

local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function text(number)
  return string.format('%.0f', number)
end

local function run_key(id)
  return P .. 'run:' .. id
end

-- A change that people may see: its report to GitHub is due.
local function due_report(id, at)
  redis.call('HINCRBY', run_key(id), 'revision', 1)
  redis.call('ZADD', P .. 'reports', text(at), id)
end

-- The same, told at once to those who follow the run. They ask the run itself what is new, so one
-- entry will do; whoever follows after it is gone looks at the run first.
local function changed(id, at)
  due_report(id, at)
  redis.call('XADD', P .. 'bell:' .. id, 'MAXLEN', 1, '*', 'c', '1')
  redis.call('EXPIRE', P .. 'bell:' .. id, 600)
end

local function leased(id, at)
  local expiry = redis.call('ZSCORE', P .. 'leases', id)
  return expiry and tonumber(expiry) > at
end

-- Whether `fence` still is the one that may write to the run.
local function holds(id, fence)
  local values = redis.call('HMGET', run_key(id), 'fence', 'state')
  return values[1] == fence and values[2] == 'running'
end

-- Whether the stage that asks people waits for them; it goes on waiting while a worker looks again.
local function approval_waits(stages)
  for _, stage in ipairs(cjson.decode(stages)) do
    if stage.name == 'approve' and stage.state == 'waiting' then return true end
  end
  return false
end

-- Whether the run waits for people; it may wait for other things.
local function asks(id)
  local values = redis.call('HMGET', run_key(id), 'state', 'stages')
  return values[1] == 'waiting' and approval_waits(values[2])
end

-- Whether it has moved something that must be finished or put back before the run may end.
local function unfinished(id)
  return redis.call('HGET', run_key(id), 'unfinished') == 'yes'
end

-- Whether there is something that its next visit must do before the run may end: see above, or it is
-- on record as live and has not yet succeeded.
local function wanted(id)
  return unfinished(id) or redis.call('HGET', run_key(id), 'recorded') == 'yes'
end

local function ended(id)
  local state = redis.call('HGET', run_key(id), 'state')
  return state ~= 'queued' and state ~= 'running' and state ~= 'waiting'
end

local function cancelled(id)
  return redis.call('HEXISTS', run_key(id), 'cancel') == 1
end

local function finish(id, at, state, fault, why)
  redis.call('HSET', run_key(id), 'state', state, 'finished_at', text(at))
  if why ~= '' then redis.call('HSET', run_key(id), 'error', why) else redis.call('HDEL', run_key(id), 'error') end
  if fault ~= '' then redis.call('HSET', run_key(id), 'fault', fault) end
  -- A file of the repository's, which only its stages read: up to a megabyte of each run kept.
  redis.call('HDEL', run_key(id), 'pipeline')
  redis.call('ZREM', P .. 'leases', id)
  redis.call('ZREM', P .. 'due', id)
  redis.call('HINCRBY', P .. 'metrics', 'runs_' .. state, 1)
  changed(id, at)
end

-- Write down a queued task and put its message where the workers listen: they take it after those
-- that are there, or with `push` as RPUSH before them.
local function ring(task_id, name, id, at, queue, message, push)
  local key = P .. 'task:' .. task_id
  redis.call('HSET', key, 'name', name, 'run', id, 'state', 'queued', 'queued_at', text(at))
  redis.call('EXPIRE', key, 604800)
  redis.call(push or 'LPUSH', queue, message)
end

-- Write a new run down: in every index, due at once, its bell rung. `run` has its parts by name.
local function begin(run, at)
  -- Microseconds that never repeat: they order the history and serve as its cursor.
  local t = redis.call('TIME')
  local score = t[1] * 1000000 + t[2]
  local last = tonumber(redis.call('GET', P .. 'clock') or '0')
  if score <= last then score = last + 1 end
  redis.call('SET', P .. 'clock', text(score))

  local id, key = run.id, run_key(run.id)
  redis.call('HSET', key, 'v', '1', 'order', run.order, 'state', 'queued', 'stages', run.stages,
    'created_at', text(at), 'score', text(score), 'delivery', run.delivery, 'queue', run.queue,
    'branch', run.branch, 'repository', run.repository, 'order_key', run.order_key, 'fence', '0')
  if run.pull_request ~= '' then redis.call('HSET', key, 'pull_request', run.pull_request) end
  if run.delivery ~= '' then
    redis.call('SET', P .. 'delivery:' .. run.delivery, id, 'EX', run.delivery_seconds)
  end
  redis.call('SET', P .. 'order:' .. run.order_key, id, 'EX', run.order_seconds)
  redis.call('ZADD', P .. 'runs', text(score), id)
  redis.call('ZADD', run.repository, text(score), id)
  redis.call('ZADD', run.branch, text(score), id)
  redis.call('SADD', P .. 'branches', run.branch)
  redis.call('ZADD', P .. 'due', text(at), id)
  redis.call('HINCRBY', P .. 'metrics', 'runs_accepted', 1)
  -- Nobody follows a run whose id nobody knows yet.
  due_report(id, at)
  ring(id, 'advance', id, at, run.broker_queue, run.message)
end

-- Whether a lock of its environment holds the run back now.
local function held(id)
  local values = redis.call('HMGET', run_key(id), 'state', 'held')
  return values[1] == 'waiting' and values[2] == '1'
end

-- Remember where a branch is said to be now: `after`, '' for nowhere. `branch` is the index of its
-- runs; `sure` is what was asked for just now, which no delivery that comes late contradicts.
local MOST_HEADS = 20
local function told_head(name, branch, before, after, forced, sure, at)
  local heads = cjson.decode(redis.call('HGET', P .. 'heads', name) or '[]')
  local last, seen = heads[#heads], false
  for _, one in ipairs(heads) do
    if one[1] == after or one[2] == after then seen = true end
  end
  if last and last[2] == after then return end
  -- Deliveries overtake each other: what has been passed already is the branch again only when it
  -- is reset from where it is now.
  if seen and not sure and last[2] ~= before then return end
  heads[#heads + 1] = {before, after, forced}
  if #heads > MOST_HEADS then table.remove(heads, 1) end
  redis.call('HSET', P .. 'heads', name, cjson.encode(heads))
  if forced ~= '1' then return end
  -- Whoever asks people about a commit that may be gone looks again.
  for _, id in ipairs(redis.call('ZREVRANGE', branch, 0, 19)) do
    if asks(id) then redis.call('ZADD', P .. 'due', text(at), id) end
  end
end

-- The lock of an environment is gone: the runs that it held back are due.
local function let_go(environment, at)
  local ids = {}
  for _, id in ipairs(redis.call('HVALS', P .. 'held:' .. environment)) do
    if held(id) then
      redis.call('ZADD', P .. 'due', text(at), id)
      ids[#ids + 1] = id
    end
  end
  redis.call('DEL', P .. 'held:' .. environment)
  return ids
end
