-- One person's word on a waiting run: kept with who, when and from where. Whatever decides wakes the
-- run; any other has it looked at with the next sweep, whether its branch still has the commit.
-- Answers 'counted', or why it does not count.
-- @include changed
-- @include clock
-- @include keys
-- @include run
-- @include task
-- @arguments id who verdict origin note required queue task_id message
local at = now()
local key = run_key(id)
if redis.call('EXISTS', key) == 0 then return 'gone' end
local votes = cjson.decode(redis.call('HGET', key, 'votes') or '[]')
local approvals, decided, voted = 0, false, false
for _, vote in ipairs(votes) do
  if vote.verdict == 'approve' then approvals = approvals + 1 else decided = true end
  if vote.who == who then voted = true end
end
decided = decided or approvals >= tonumber(required)
-- Who speaks while a worker looks at an earlier word is heard, as long as nothing is decided.
local values = redis.call('HMGET', key, 'state', 'stages')
local looking = values[1] == 'running' and approval_waits(values[2]) and not decided
if not looking and not asks(id) then return 'not waiting' end
if voted then return 'voted' end
local decides = verdict == 'reject' or approvals + 1 >= tonumber(required)
votes[#votes + 1] = {who = who, verdict = verdict, at = at, origin = origin, note = note}
redis.call('HSET', key, 'votes', cjson.encode(votes))
changed(id, at)
if looking then
  redis.call('HSET', key, 'woken', '1')
else
  redis.call('ZADD', KEY.DUE, text(at), id)
  if decided or decides then ring(task_id, 'advance', id, at, queue, message) end
end
return 'counted'
