-- Ask for a run's end: at once when nobody works on it, else at its worker's next heartbeat.
local id, why, stages = unpack(ARGV)
local at = now()
local state = redis.call('HGET', run_key(id), 'state')
if not state then return 'gone' end
if state == 'queued' or state == 'waiting' then
  redis.call('HSET', run_key(id), 'stages', stages)
  finish(id, at, 'cancelled', '', why)
  return 'cancelled'
end
if state ~= 'running' then return 'ended' end
redis.call('HSET', run_key(id), 'cancel', why)
return 'asked'
