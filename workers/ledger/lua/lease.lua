-- Take a run that is due, or one whose worker died; the answer to a repeated call is the same.
-- @include changed
-- @include clock
-- @include finish
-- @include keys
-- @include move
-- @include run
-- @include states
-- @include task
-- @arguments id owner nonce lease_ms capacity max_losses
local at = now()
local key = run_key(id)
-- The nonce is the id of the queued task that asks: it has begun, whatever the answer.
local task = KEY.TASK .. nonce
if redis.call('EXISTS', task) == 1 then
  task_is(task, 'started', 'started_at', text(at), 'worker', owner)
end
local values = redis.call('HMGET', key, 'state', 'nonce', 'fence', 'losses', 'cancel')
local state, losses = values[1], tonumber(values[4] or '0')

if not state then return {'gone', '0'} end
if leased(id, at) then
  if values[2] == nonce then return {'leased', values[3], values[5]} end
  return {'held', '0'}
end
if not OPEN[state] then return {'ended', '0'} end
if state ~= 'running' then
  local due = redis.call('ZSCORE', KEY.DUE, id)
  if not due or tonumber(due) > at then return {'early', '0'} end
end

local mine = 0
for _, other in ipairs(redis.call('ZRANGEBYSCORE', KEY.LEASES, text(at), '+inf')) do
  if redis.call('HGET', run_key(other), 'owner') == owner then mine = mine + 1 end
end
if mine >= tonumber(capacity) then return {'full', '0'} end

if state == 'running' then
  losses = losses + 1
  redis.call('HSET', key, 'losses', losses)
  redis.call('HINCRBY', KEY.METRICS, 'leases_lost', 1)
  local lost = values[2] and KEY.TASK .. values[2]
  if lost and lost ~= task and redis.call('EXISTS', lost) == 1 then
    task_is(lost, 'failed', 'outcome', 'lost', 'finished_at', text(at))
  end
  -- One with something to put back gets as many visits again, which do nothing but that; so does
  -- one that has only to succeed.
  local most = tonumber(max_losses) * (wanted(id) and 2 or 1)
  if losses > most then
    finish(id, state, at, 'failed', 'ours', 'The worker was lost ' .. losses ..
      ' times in this run. The operator should look at its log and memory; then retry the run.')
    return {'ended', '0'}
  end
end

local fence = text(redis.call('INCR', KEY.FENCE))
-- What a lost worker had is running already; it only changes hands.
if state ~= 'running' then move(id, state, 'running') end
redis.call('HSET', key, 'fence', fence, 'owner', owner, 'nonce', nonce)
redis.call('HSETNX', key, 'started_at', text(at))
redis.call('HDEL', key, 'error', 'woken', 'held')
redis.call('ZADD', KEY.LEASES, text(at + tonumber(lease_ms)), id)
redis.call('ZREM', KEY.DUE, id)
changed(id, at)
return {'leased', fence, values[5]}
