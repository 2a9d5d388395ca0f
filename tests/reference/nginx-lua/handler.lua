-- The work inside of nginx, in Lua: nothing is handed to another process but the
-- post. For content_by_lua_file. $downstream: "" answers {"sum":N}; else there is a
-- location /post that passes on to it, and the answer is {"ok":true}.
local json = require "cjson.safe"

local function answer(status, body)
   ngx.status = status
   ngx.header["Content-Type"] = "application/json"
   ngx.header["Content-Length"] = #body
   ngx.print(body)
end

local function add_up(document)
   local sum = 0
   for _, item in ipairs(document.items) do
      sum = sum + item.value * 2
   end
   return sum
end

local function handle()
   if ngx.req.get_method() ~= "POST" then
      return answer(405, '{"error":"POST only"}')
   end
   ngx.req.read_body()
   local document = json.decode(ngx.req.get_body_data() or "")
   local ok, sum = pcall(add_up, document)
   if not ok then
      return answer(400, '{"error":"json"}')
   end
   local result = string.format('{"sum":%d}', sum)
   if ngx.var.downstream == "" then
      return answer(200, result)
   end
   local taken = ngx.location.capture("/post", {
      method = ngx.HTTP_POST, body = result})
   if taken.status >= 200 and taken.status < 300 then
      return answer(200, '{"ok":true}')
   end
   return answer(502, '{"error":"downstream"}')
end

handle()
