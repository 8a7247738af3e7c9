-- What scripts ask about a run.
-- @include keys
-- @include states

local function leased(id, at)
  local expiry = redis.call('ZSCORE', KEY.LEASES, id)
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
  return not OPEN[state]
end

local function cancelled(id)
  return redis.call('HEXISTS', run_key(id), 'cancel') == 1
end

-- Whether a lock of its environment holds the run back now.
local function held(id)
  local values = redis.call('HMGET', run_key(id), 'state', 'held')
  return values[1] == 'waiting' and values[2] == '1'
end
