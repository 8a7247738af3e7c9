-- Remember a text for other runs, for a while, if the lease still is ours.
-- @include run
-- @arguments id fence key what keep_ms
if not holds(id, fence) then return 0 end
if tonumber(keep_ms) > 0 then redis.call('SET', key, what, 'PX', keep_ms) end
return 1
