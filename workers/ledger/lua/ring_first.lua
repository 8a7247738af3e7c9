-- Queue one task at the head of its queue, unless it is among the `depth` first there already.
-- @include clock
-- @include task
-- @arguments task_id name id queue message depth
local ours = cjson.decode(message)
for _, waiting in ipairs(redis.call('LRANGE', queue, -depth, -1)) do
  if string.find(waiting, ours.body, 1, true) then
    if cjson.decode(waiting).headers.task == ours.headers.task then return 0 end
  end
end
ring(task_id, name, id, now(), queue, message, 'RPUSH')
return 1
