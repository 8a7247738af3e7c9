-- How the run stands that a task is at: `kept`, to be ended (`cancel`, `drain`), or no longer its.
-- @include clock
-- @include keys
-- @include run
-- @arguments task
local found = redis.call('HMGET', KEY.TASK .. task, 'run', 'name')
local id = found[1]
if not id or found[2] ~= 'advance' then return {'', 'none', ''} end
local values = redis.call('HMGET', run_key(id), 'state', 'nonce', 'task_seconds', 'owner', 'cancel')
local seconds = values[3] or ''
if values[1] ~= 'running' or values[2] ~= task then return {id, 'over', seconds} end
if not leased(id, now()) then return {id, 'lost', seconds} end
-- What has moved something puts it back, or finishes it, before it heeds anybody.
if values[5] and not wanted(id) then return {id, 'cancel', seconds} end
if redis.call('EXISTS', KEY.DRAIN .. values[4]) == 1 then return {id, 'drain', seconds} end
return {id, 'kept', seconds}
