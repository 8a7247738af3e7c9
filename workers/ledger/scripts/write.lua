-- Write fields of a run, if the lease still is ours.
local id, fence, visible = ARGV[1], ARGV[2], ARGV[3]
if not holds(id, fence) then return 0 end
for i = 4, #ARGV, 2 do redis.call('HSET', run_key(id), ARGV[i], ARGV[i + 1]) end
if visible == '1' then changed(id, now()) end
return 1
