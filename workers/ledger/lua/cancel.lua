-- Ask for a run's end: at once when nobody works on it, else at its worker's next heartbeat. A run
-- with something to put back first is woken for that.
-- @include clock
-- @include finish
-- @include keys
-- @include run
-- @include task
-- @arguments id why stages queue task_id message
local at = now()
local state = redis.call('HGET', run_key(id), 'state')
if not state then return 'gone' end
local idle = state == 'queued' or state == 'waiting'
if idle and not wanted(id) then
  finish(id, state, at, 'cancelled', '', why)
  redis.call('HSET', run_key(id), 'stages', stages)
  return 'cancelled'
end
if not idle and state ~= 'running' then return 'ended' end
redis.call('HSET', run_key(id), 'cancel', why)
if idle then
  redis.call('ZADD', KEY.DUE, text(at), id)
  ring(task_id, 'advance', id, at, queue, message)
end
return 'asked'
