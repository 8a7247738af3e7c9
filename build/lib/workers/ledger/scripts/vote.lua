-- One person's word on a waiting run: kept with who, when and from where; wakes the run when it
-- decides. Answers 'counted', or why it does not count.
local id, who, verdict, origin, note, required, broker_queue, task_id, message = unpack(ARGV)
local at = now()
local key = run_key(id)
if redis.call('EXISTS', key) == 0 then return 'gone' end
if not asks(id) then return 'not waiting' end
local votes = cjson.decode(redis.call('HGET', key, 'votes') or '[]')
for _, vote in ipairs(votes) do
  if vote.who == who then return 'voted' end
end
votes[#votes + 1] = {who = who, verdict = verdict, at = at, origin = origin, note = note}
redis.call('HSET', key, 'votes', cjson.encode(votes))
changed(id, at)
local approvals = 0
for _, vote in ipairs(votes) do
  if vote.verdict == 'approve' then approvals = approvals + 1 end
end
if verdict == 'reject' or approvals >= tonumber(required) then
  redis.call('ZADD', P .. 'due', text(at), id)
  ring(task_id, 'advance', id, at, broker_queue, message)
end
return 'counted'
