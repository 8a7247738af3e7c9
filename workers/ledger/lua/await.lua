-- Be woken under a name from now on, and under no other one; with fields of the run.
local id, fence, name, seconds = unpack(ARGV, 1, 4)
if not holds(id, fence) then return 0 end
redis.call('HSET', run_key(id), 'awaits', name)
redis.call('SET', P .. 'awaits:' .. name, id, 'EX', seconds)
for i = 5, #ARGV, 2 do redis.call('HSET', run_key(id), ARGV[i], ARGV[i + 1]) end
return 1
